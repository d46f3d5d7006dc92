/**
 * OpenMSIStream's programs, with the settings that it ships. Three of them never end: the uploader is done when the
 * broker has every chunk, the others when they have said of every file that it is reconstructed, or processed.
 */
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
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
import type {Store} from '../store.js'
import type {Topics} from '../topics.js'
import {type Downloader, NotFinished, type Storer, type Surroundings, type Uploader} from './program.js'

const CHUNK_BYTES = 524_288
const LOOK_EVERY_MS = 50
const GIVE_UP_MS = 900_000
/** It joins the chunks of a file by appending to a string, which takes the square of their number. */
export const STORING_SECONDS = 120
const STORED_FILE = /Fully-read file .* successfully processed/g
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
  /** Null without a store. */
  readonly s3Transfer: Storer | null
}

/** @throws by name what is missing */
export async function installOpenMsiStream(
  {bootstrap, servers, store, home}: Surroundings,
  topics: Topics,
): Promise<OpenMsiStreamPrograms> {
  const programs = join(await openMsiStreamEnvironment(), 'bin')
  const cwd = join(home, 'openmsistream')
  const config = join(cwd, 'bench.config')
  await mkdir(cwd, {recursive: true})
  await writeFile(config, `${openMsiStreamConfig(bootstrap)}${store === null ? '' : s3Section(store)}`)
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
          servers,
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
          servers,
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
          servers,
        )
        const finished = () => program.output().match(FINISHED_FILE)?.length ?? 0
        return usageUntil(program, () => finished() >= input.files.length)
      },
    },
    s3Transfer: store && {
      name: 'S3TransferStreamProcessor',
      async store(topic, input, bucket) {
        const output = await mkdtemp(join(cwd, 'registry-'))
        const args = [bucket, '--output_dir', output, '--logger_stream_level', 'debug']
        const program = startMeasured(command('S3TransferStreamProcessor', topic, ...args), servers)
        const finished = () => program.output().match(STORED_FILE)?.length ?? 0
        return usageUntil(program, () => finished() >= input.files.length, STORING_SECONDS)
      },
    },
  }
}

/** @throws {NotFinished} when there is a limit, and it is reached */
async function usageUntil(
  program: Working,
  isDone: () => boolean | Promise<boolean>,
  atMostSeconds: number | null = null,
) {
  const started = performance.now()
  const isDoneOrEnded = async (): Promise<boolean> => {
    if (program.hasEnded()) throw new Error(`it ended by itself:\n${program.output()}`)
    const isLate = atMostSeconds !== null && performance.now() - started > atMostSeconds * 1000
    if (!isLate) return isDone()
    await program.kill()
    throw new NotFinished(atMostSeconds)
  }
  await eventually('OpenMSIStream is done', isDoneOrEnded, GIVE_UP_MS, LOOK_EVERY_MS)
  const usage = program.usage()
  // It reads one character a second.
  await program.quit('q\n')
  return usage
}

const s3Section = ({access}: Store): string => `
[s3]
access_key_id = ${access.accessKeyId}
secret_key_id = ${access.secretAccessKey}
endpoint_url = ${access.endpoint}
region = ${access.region}
`

function onlyFileOf({files}: InputFiles): InputFile {
  if (files.length !== 1) throw new Error('UploadDataFile sends one file')
  return files[0]!
}

async function platformOf(python: string): Promise<string> {
  const ask =
    'import platform, confluent_kafka as c; print(f"Python {platform.python_version()}, librdkafka {c.libversion()[0]}")'
  return (await runOrThrow(python, ['-c', ask])).stdout.trim()
}
