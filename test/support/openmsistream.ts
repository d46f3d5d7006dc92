import {spawn, type ChildProcess} from 'node:child_process'
import {mkdtemp, readdir, rm, stat, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Kafka, logLevel} from 'kafkajs'
import {cached} from './cache.js'
import {eventually} from './eventually.js'
import {collect, diesWithUs, ended, isInstalled, runOrThrow} from './processes.js'
import type {FileFacts} from './trees.js'

export const OPENMSISTREAM_VERSION = '1.8.8'
const DEFAULT_CHUNK_BYTES = 524_288
/** It sends about 20 small files a second. */
const UPLOAD_MS = 400_000
const DOWNLOAD_MS = 300_000

/** The programs of the real OpenMSIStream against one Kafka. */
export interface OpenMsiStream {
  /** `UploadDataFile`: one file, by its base name. */
  uploadFile(path: string, topic: string, options?: UploadOptions): Promise<void>
  /**
   * `DataFileUploadDirectory --upload_existing` until every chunk is on the topic; then it is told to quit. It
   * leaves out empty and hidden files.
   */
  uploadDirectory(directory: string, topic: string, options?: UploadOptions): Promise<void>
  /** `DataFileDownloadDirectory`: runs until `stop`. */
  downloadDirectory(directory: string, topic: string): Promise<RunningProgram>
  /**
   * The same until all that is expected is there in full.
   * @throws when it is not within the time, or when the program complained
   */
  downloadUntilThere(
    directory: string,
    topic: string,
    expected: Readonly<Record<string, FileFacts>>,
  ): Promise<void>
  close(): Promise<void>
}

export interface UploadOptions {
  /** A power of two. */
  readonly chunkBytes?: number
}

export interface RunningProgram {
  /** What it logged until now. */
  output(): string
  /** Asks it to quit, as a person would, and waits until it has. */
  stop(): Promise<void>
}

/** @throws by name what is missing: Python, its venv module, or the package */
export async function startOpenMsiStream(bootstrap: string): Promise<OpenMsiStream> {
  const programs = join(await openMsiStreamEnvironment(), 'bin')
  const home = await mkdtemp(join(tmpdir(), 'streamtool-openmsistream-'))
  const config = join(home, 'test.config')
  await writeFile(config, openMsiStreamConfig(bootstrap))
  const running = new Set<ChildProcess>()

  const start = (program: string, args: readonly string[]) => {
    // It writes its logs into the working directory.
    const child = spawn(join(programs, program), [...args, '--config', config], {cwd: home})
    diesWithUs(child)
    running.add(child)
    const parts = [collect(child.stdout), collect(child.stderr)]
    const gone = ended(child).finally(() => running.delete(child))
    return {child, gone, output: () => parts.map((part) => part().toString()).join('')}
  }
  const quit = async ({child, gone, output}: ReturnType<typeof start>, program: string): Promise<void> => {
    // A thread of it reads one character a second.
    if (child.exitCode === null && child.signalCode === null) child.stdin.end('q\n')
    const [exitCode] = await gone
    if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode ?? 'a signal'}:\n${output()}`)
  }
  const download = (directory: string, topic: string): RunningProgram => {
    const program = start('DataFileDownloadDirectory', [
      ...[directory, '--topic_name', topic, '--consumer_group_id', 'create_new'],
    ])
    return {output: program.output, stop: () => quit(program, 'DataFileDownloadDirectory')}
  }
  const chunkSize = ({chunkBytes}: UploadOptions) => (chunkBytes ? ['--chunk_size', String(chunkBytes)] : [])

  return {
    async uploadFile(path, topic, options = {}) {
      const {stdout, stderr} = await runOrThrow(
        join(programs, 'UploadDataFile'),
        [path, '--topic_name', topic, '--config', config, ...chunkSize(options)],
        {cwd: home},
      )
      // It exits with 0 whatever happens.
      if (/error|exception/i.test(stdout + stderr)) throw new Error(`UploadDataFile: ${stdout}${stderr}`)
    },
    async uploadDirectory(directory, topic, options = {}) {
      const chunks = await countChunks(directory, options.chunkBytes ?? DEFAULT_CHUNK_BYTES)
      const before = await countRecords(bootstrap, topic)
      // Its own default pattern leaves out every path that contains "log".
      const program = start('DataFileUploadDirectory', [
        ...[directory, '--topic_name', topic, '--upload_existing', '--upload_regex', '.+'],
        ...chunkSize(options),
      ])
      // Told to quit, it drops what it has not begun.
      const isSent = async (): Promise<boolean> => {
        if (program.child.exitCode !== null) throw new Error(`the uploader ended:\n${program.output()}`)
        return (await countRecords(bootstrap, topic)) >= before + chunks
      }
      await eventually(`${chunks} chunks are on ${topic}`, isSent, UPLOAD_MS, 500)
      await quit(program, 'DataFileUploadDirectory')
    },
    async downloadDirectory(directory, topic) {
      return download(directory, topic)
    },
    async downloadUntilThere(directory, topic, expected) {
      const program = download(directory, topic)
      const missing = new Map(Object.entries(expected))
      const isThere = async () => {
        for (const [path, {sizeBytes}] of missing) {
          const found = await stat(join(directory, path)).catch(() => null)
          if (found?.size !== sizeBytes) return false
          missing.delete(path)
        }
        return true
      }
      await eventually('it has downloaded every file', isThere, DOWNLOAD_MS, 200)
      await program.stop()
      // A commit that fails while it quits says nothing of the files, and is logged as a warning that names an error.
      const complaint = /.*(ERROR|[Ee]xception|mismatch).*/.exec(withoutFailedCommits(program.output()))
      if (complaint) throw new Error(`DataFileDownloadDirectory: ${complaint[0]}`)
    },
    async close() {
      for (const child of running) child.kill('SIGKILL')
      await rm(home, {recursive: true, force: true})
    },
  }
}

/** Without its warnings of a failed commit, each with the traceback that follows it. */
const withoutFailedCommits = (output: string) =>
  output.replace(/^\[[^\]]*\] WARNING: failed to synchronously commit.*(?:\n(?!\[).*)*/gm, '')

/** Its logs lie beside the data. */
export const isStateOfOpenMsiStream = (path: string) => path.startsWith('LOGS/') || path.endsWith('.log')

/** It does not give files the time they had. */
export function withoutTimes(tree: Record<string, FileFacts>) {
  return Object.fromEntries(
    Object.entries(tree).map(([path, {sizeBytes, sha256}]) => [path, {sizeBytes, sha256}]),
  )
}

/** Where its Python environment is; made once. */
export async function openMsiStreamEnvironment(): Promise<string> {
  if (!(await isInstalled('python3')))
    throw new Error('OpenMSIStream cannot be started: python3 is not installed')
  return cached(`openmsistream-${OPENMSISTREAM_VERSION}`, async (directory) => {
    await runOrThrow('python3', ['-m', 'venv', directory])
    await runOrThrow(join(directory, 'bin', 'pip'), [
      'install',
      '--quiet',
      `openmsistream==${OPENMSISTREAM_VERSION}`,
    ])
  })
}

async function countChunks(directory: string, chunkBytes: number): Promise<number> {
  const files = await readdir(directory, {recursive: true, withFileTypes: true})
  const counts = await Promise.all(
    files
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map(async (entry) => Math.ceil((await stat(join(entry.parentPath, entry.name))).size / chunkBytes)),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

async function countRecords(bootstrap: string, topic: string): Promise<number> {
  const admin = new Kafka({brokers: [bootstrap], logLevel: logLevel.NOTHING}).admin()
  try {
    await admin.connect()
    const partitions = await admin.fetchTopicOffsets(topic)
    return partitions.reduce((sum, {high}) => sum + Number(high), 0)
  } finally {
    await admin.disconnect()
  }
}

/** As in the configurations that it ships, except that it starts with the oldest record. */
export function openMsiStreamConfig(bootstrap: string): string {
  return `[broker]
bootstrap.servers = ${bootstrap}

[producer]
batch.size = 2000000
linger.ms = 100
compression.type = lz4
key.serializer = StringSerializer
value.serializer = DataFileChunkSerializer

[consumer]
group.id = create_new
auto.offset.reset = earliest
enable.auto.commit = False
fetch.min.bytes = 1
key.deserializer = StringDeserializer
value.deserializer = DataFileChunkDeserializer
`
}
