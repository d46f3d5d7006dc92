/** One Apache Kafka process: its settings, its data, its life. */
import {spawn, type ChildProcess} from 'node:child_process'
import {createHash} from 'node:crypto'
import {appendFile, copyFile, mkdir, mkdtemp, readFile, rm} from 'node:fs/promises'
import {createServer, type AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {Kafka, logLevel} from 'kafkajs'
import {cached} from '../cache.js'
import {eventually} from '../eventually.js'
import {collect, diesWithUs, ended, isInstalled, runOrThrow} from '../processes.js'

const FILES = fileURLToPath(new URL('.', import.meta.url))
const READY_MS = 60_000
/** Short lives start and stop in half the time with these; for measuring, leave them out. */
export const QUICK_START = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

export interface KafkaNode {
  readonly bootstrap: string
  /** Resolves when it answers. */
  readonly start: () => Promise<void>
  readonly stop: (signal: NodeJS.Signals) => Promise<void>
  /** Stops and deletes the data. */
  readonly close: () => Promise<void>
}

export interface KafkaNodeOptions {
  readonly clusterId: string
  readonly javaOptions: readonly string[]
  readonly port: number
  /** Beside kafka/server.properties, which they override. */
  readonly properties: readonly string[]
}

/** @throws by name what is missing: Java, Maven, or the jars */
export async function createKafkaNode({
  clusterId,
  javaOptions,
  port,
  properties,
}: KafkaNodeOptions): Promise<KafkaNode> {
  const jars = await kafkaJars()
  const home = await mkdtemp(join(tmpdir(), 'streamtool-kafka-'))
  const bootstrap = `127.0.0.1:${port}`
  const settings = join(home, 'server.properties')
  await copyFile(join(FILES, 'server.properties'), settings)
  await appendFile(
    settings,
    [
      '',
      `advertised.listeners = PLAINTEXT://${bootstrap}`,
      `log.dirs = ${join(home, 'data')}`,
      ...properties,
      '',
    ].join('\n'),
  )
  const java = (...args: string[]) => [
    '-Xmx768m',
    ...javaOptions,
    `-Dlog4j2.configurationFile=${join(FILES, 'log4j2.properties')}`,
    `-Dbroker.log=${join(home, 'broker.log')}`,
    '-cp',
    join(jars, '*'),
    ...args,
  ]
  await runOrThrow('java', java('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', settings))

  let broker: ChildProcess | undefined
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (broker?.exitCode === null && broker.signalCode === null) {
      const gone = ended(broker)
      broker.kill(signal)
      await gone
    }
    broker = undefined
  }
  const start = async (): Promise<void> => {
    const child = spawn('java', java('kafka.Kafka', settings), {stdio: ['ignore', 'pipe', 'pipe']})
    broker = child
    diesWithUs(child)
    const output = [collect(child.stdout), collect(child.stderr)]
    const isUp = async (): Promise<boolean> => {
      if (child.exitCode === null && child.signalCode === null) return answersMetadata(bootstrap)
      const log = await readFile(join(home, 'broker.log'), 'utf8').catch(() => '')
      throw new Error(`Apache Kafka did not start:\n${log}${output.map((text) => text()).join('')}`)
    }
    await eventually('Apache Kafka answers', isUp, READY_MS)
  }
  return {
    bootstrap,
    start,
    stop,
    close: async () => {
      await stop('SIGKILL')
      await rm(home, {recursive: true, force: true})
    },
  }
}

/** The jars of pom.xml, fetched once for each content of that file. */
async function kafkaJars(): Promise<string> {
  for (const program of ['java', 'mvn'])
    if (!(await isInstalled(program)))
      throw new Error(`Apache Kafka cannot be started: ${program} is not installed`)
  const pom = join(FILES, 'pom.xml')
  const version = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 12)
  return cached(`kafka-${version}`, async (directory) => {
    // A copy, because Maven writes beside the pom.
    await mkdir(join(directory, 'pom'))
    await copyFile(pom, join(directory, 'pom', 'pom.xml'))
    await runOrThrow(
      'mvn',
      ['--batch-mode', '--quiet', 'dependency:copy-dependencies', `-DoutputDirectory=${directory}`],
      {cwd: join(directory, 'pom')},
    )
  })
}

async function answersMetadata(bootstrap: string): Promise<boolean> {
  const admin = new Kafka({
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1000,
    retry: {retries: 0},
  }).admin()
  try {
    await admin.connect()
    const {brokers} = await admin.describeCluster()
    return brokers.length > 0
  } catch {
    return false
  } finally {
    await admin.disconnect()
  }
}

/** All are held at the same time, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({length: count}, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
