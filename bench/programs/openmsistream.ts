/**
 * OpenMSIStream's programs, with the settings that it ships. Two of them never end: the one is done when the
 * broker has every chunk, the other when it has said of every file that it is reconstructed.
 */
import {mkdir, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {eventually} from '../../test/support/eventually.js'
import {
  OPENMSISTREAM_VERSION,
  openMsiStreamConfig,
  openMsiStreamEnvironment,
} from '../../test/support/openmsistream.js'
import {runOrThrow} from '../../test/support/processes.js'
import type {InputFile, InputFiles} from '../input-files.js'
import {measure, startMeasured, type Working} from '../measured-process.js'
import type {Topics} from '../topics.js'
import type {Downloader, Surroundings, Uploader} from './program.js'

const CHUNK_BYTES = 524_288
const LOOK_EVERY_MS = 50
const GIVE_UP_MS = 900_000
const FINISHED_FILE = /successfully reconstructed from stream/g

export interface OpenMsiStreamPrograms {
  readonly version: string
  /** Of Python and of the Kafka client below it. */
  readonly platform: string
  /** Where its programs are. */
  readonly programs: string
  readonly uploadFile: Uploader
  readonly uploadDirectory: Uploader
  readonly downloadDirectory: Downloader
}

/** @throws by name what is missing */
export async function installOpenMsiStream(
  {bootstrap, brokerPid, home}: Surroundings,
  topics: Topics,
): Promise<OpenMsiStreamPrograms> {
  const programs = join(await openMsiStreamEnvironment(), 'bin')
  const cwd = join(home, 'openmsistream')
  const config = join(cwd, 'bench.config')
  await mkdir(cwd, {recursive: true})
  await writeFile(config, openMsiStreamConfig(bootstrap))
  const command = (program: string, topic: string, ...args: string[]) => ({
    program: join(programs, program),
    args: [...args, '--topic_name', topic, '--config', config],
    cwd,
  })

  // Hard links, because it writes its logs and tables beside the files.
  const prepare = async (input: InputFiles): Promise<InputFiles> => {
    await rm(join(cwd, 'input'), {recursive: true, force: true})
    await runOrThrow('cp', ['-al', input.directory, join(cwd, 'input')])
    return {...input, directory: join(cwd, 'input')}
  }

  return {
    version: OPENMSISTREAM_VERSION,
    platform: await platformOf(join(programs, 'python')),
    programs,
    uploadFile: {
      name: 'UploadDataFile',
      prepare,
      async upload(input, topic) {
        const file = onlyFileOf(input)
        const {usage} = await measure(
          command('UploadDataFile', topic, join(input.directory, file.path)),
          brokerPid,
        )
        return usage
      },
    },
    uploadDirectory: {
      name: 'DataFileUploadDirectory --upload_existing',
      prepare,
      async upload(input, topic) {
        const chunks = input.files.reduce((sum, {bytes}) => sum + Math.ceil(bytes / CHUNK_BYTES), 0)
        const program = startMeasured(
          command('DataFileUploadDirectory', topic, input.directory, '--upload_existing'),
          brokerPid,
        )
        return usageUntil(program, async () => (await topics.count(topic)) >= chunks)
      },
    },
    downloadDirectory: {
      name: 'DataFileDownloadDirectory',
      ownFiles: /^DataFileDownloadDirectory\.log$/,
      async download(topic, input, output) {
        // At this level it says one line for each file that is whole, and little else.
        const program = startMeasured(
          command('DataFileDownloadDirectory', topic, output, '--logger_stream_level', 'debug'),
          brokerPid,
        )
        const finished = () => program.output().match(FINISHED_FILE)?.length ?? 0
        return usageUntil(program, () => finished() >= input.files.length)
      },
    },
  }
}

async function usageUntil(program: Working, isDone: () => boolean | Promise<boolean>) {
  const isDoneOrEnded = async (): Promise<boolean> => {
    if (program.hasEnded()) throw new Error(`it ended by itself:\n${program.output()}`)
    return isDone()
  }
  await eventually('OpenMSIStream is done', isDoneOrEnded, GIVE_UP_MS, LOOK_EVERY_MS)
  const usage = program.usage()
  // It reads one character a second.
  await program.quit('q\n')
  return usage
}

function onlyFileOf({files}: InputFiles): InputFile {
  if (files.length !== 1) throw new Error('UploadDataFile sends one file')
  return files[0]!
}

async function platformOf(python: string): Promise<string> {
  const ask =
    'import platform, confluent_kafka as c; print(f"Python {platform.python_version()}, librdkafka {c.libversion()[0]}")'
  return (await runOrThrow(python, ['-c', ask])).stdout.trim()
}
