/** The Spring Cloud Stream application of test/fixtures/spring-app, built once, and started against one Kafka. */
import {spawn} from 'node:child_process'
import {createHash} from 'node:crypto'
import {cp, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'
import {cached} from './cache.js'
import {eventually} from './eventually.js'
import {QUICK_START} from './kafka/node.js'
import {collect, diesWithUs, ended, isInstalled, runOrThrow} from './processes.js'

const SOURCES = fileURLToPath(new URL('../fixtures/spring-app/', import.meta.url))
const FILES = ['pom.xml', 'src/main/java/streamtool/peer/Peer.java']
const PATIENCE_MS = 90_000

/** What it is told to send. */
export interface SpringOrder {
  readonly payload: Buffer
  readonly contentType: string
  readonly key?: Buffer
  /** Of the Java types that JSON has. */
  readonly headers?: Readonly<Record<string, unknown>>
  /** Of type byte[]. */
  readonly bytes?: Readonly<Record<string, Buffer>>
}

/** As its consumer got it; the class of each header's value beside the value. */
export interface SpringMessage {
  /** The class of the payload. */
  readonly type: string
  /** Null is a tombstone. */
  readonly payload: Buffer | null
  readonly headers: Readonly<Record<string, readonly [type: string, value: unknown]>>
}

export interface SpringApp {
  /** In the order in which they came. */
  readonly messages: readonly SpringMessage[]
  send(order: SpringOrder): void
  /** Waits for so many messages of a topic. */
  untilReceived(topic: string, count: number): Promise<readonly SpringMessage[]>
  close(): Promise<void>
}

/** @throws by name what is missing: a JDK, Maven, or the jars */
export async function startSpringApp(
  bootstrap: string,
  properties: Readonly<Record<string, string>>,
): Promise<SpringApp> {
  const home = await built()
  const all = {
    'spring.cloud.stream.kafka.binder.brokers': bootstrap,
    'spring.main.banner-mode': 'off',
    'spring.main.web-application-type': 'none',
    'logging.level.root': 'warn',
    ...properties,
  }
  const child = spawn('java', [
    ...QUICK_START,
    ...['-Xmx256m', '-cp', [join(home, 'target', 'classes'), join(home, 'lib', '*')].join(':')],
    'streamtool.peer.Peer',
    ...Object.entries(all).map(([name, value]) => `--${name}=${value}`),
  ])
  diesWithUs(child)
  const gone = ended(child)
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  const words = () => Buffer.concat([stdout(), stderr()]).toString()
  const messages: SpringMessage[] = []
  let hasStarted = false
  createInterface({input: child.stdout}).on('line', (line) => {
    if (!line.startsWith('{')) return
    const said = JSON.parse(line) as {
      started?: true
      message?: Omit<SpringMessage, 'payload'> & {payload: string | null}
    }
    hasStarted ||= said.started === true
    if (said.message) {
      const {payload, ...rest} = said.message
      messages.push({...rest, payload: payload === null ? null : Buffer.from(payload, 'base64')})
    }
  })
  const until = (what: string, condition: () => boolean) =>
    eventually(
      what,
      () => {
        if (child.exitCode === null && child.signalCode === null) return condition()
        throw new Error(`The Spring application ended before ${what}:\n${words()}`)
      },
      PATIENCE_MS,
      20,
    ).catch((thrown: unknown) => {
      throw new Error(`the Spring application said:\n${words()}`, {cause: thrown})
    })
  const close = async () => {
    child.kill('SIGKILL')
    await gone
  }
  try {
    await until('it has started', () => hasStarted)
  } catch (thrown) {
    await close()
    throw thrown
  }
  const from = (topic: string) =>
    messages.filter(({headers}) => headers['kafka_receivedTopic']?.[1] === topic)
  return {
    messages,
    send: (order) => void child.stdin.write(`${JSON.stringify(inBase64(order))}\n`),
    async untilReceived(topic, count) {
      await until(`it has got ${count} messages from ${topic}`, () => from(topic).length >= count)
      return from(topic)
    },
    close,
  }
}

function inBase64({payload, contentType, key, headers = {}, bytes = {}}: SpringOrder) {
  const binary = Object.entries(bytes).map(([name, value]) => [name, value.toString('base64')])
  return {
    ...{contentType, headers},
    payload: payload.toString('base64'),
    key: key?.toString('base64') ?? null,
    bytes: Object.fromEntries(binary) as Record<string, string>,
  }
}

/** Compiled, beside its jars; once for each content of its sources. */
async function built(): Promise<string> {
  for (const program of ['javac', 'mvn'])
    if (!(await isInstalled(program)))
      throw new Error(`The Spring application cannot be built: ${program} is not installed`)
  const hash = createHash('sha256')
  for (const file of FILES) hash.update(await readFile(join(SOURCES, file)))
  return cached(`spring-app-${hash.digest('hex').slice(0, 12)}`, async (directory) => {
    // A copy, because Maven writes beside the pom.
    await cp(SOURCES, directory, {recursive: true})
    const goals = ['compile', 'dependency:copy-dependencies', `-DoutputDirectory=${join(directory, 'lib')}`]
    await runOrThrow('mvn', ['--batch-mode', '--quiet', ...goals], {cwd: directory})
  })
}
