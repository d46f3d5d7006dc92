/**
 * One run of the crash evidence: a topic, an output directory, a wire that can be cut, and the processes that live
 * and die there. At its end it is judged, and printed as one line.
 */
import {rm} from 'node:fs/promises'
import {fileURLToPath} from 'node:url'
import {createKafkaClient, type KafkaClient} from '../../../src/adapters/kafka/index.js'
import type {UploadReport} from '../../../src/core/report.js'
import {streamtoolJson} from '../cli.js'
import {silentLogger} from '../delivery.js'
import {eventually} from '../eventually.js'
import {type CuttingProxy, startCuttingProxy} from '../cutting-proxy.js'
import {run} from '../processes.js'
import {type FileFacts, readTree} from '../trees.js'
import type {MortalBroker} from './brokers.js'
import {judge, type Verdict} from './evidence.js'
import {Appointment, type Fate} from './fate.js'
import {Member} from './member.js'
import {expectationsOf, OutputWatch} from './output-watch.js'

const BIN = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))

export interface CrashRunOptions {
  readonly broker: MortalBroker
  /** Also the topic's name. */
  readonly name: string
  readonly partitions: number
  readonly newDirectory: () => Promise<string>
}

export interface Evidence extends Verdict {
  readonly files: number
  readonly missing: number
  /** Over the wire from the broker, beyond what was on the topic. */
  readonly bytesReadAgain: number
  /** Files that took the place of themselves, by their inodes. */
  readonly replaced: number
  readonly deaths: number
}

export class CrashRun {
  /** All that were ever started, in order. */
  readonly members: Member[] = []
  readonly group: string
  readonly watch: OutputWatch
  private readonly client: KafkaClient
  private readonly expected = new Map<string, FileFacts>()
  private topicBytes = 0
  private readonly beganAt = performance.now()
  private happenings = ''

  private constructor(
    readonly options: CrashRunOptions,
    readonly proxy: CuttingProxy,
    readonly output: string,
    readonly env: NodeJS.ProcessEnv,
  ) {
    this.group = `group-${options.name}`
    this.watch = new OutputWatch(output, this.expected)
    this.client = createKafkaClient(
      {brokers: [proxy.bootstrap], clientId: 'crash-run'},
      {logger: silentLogger},
    )
  }

  static async begin(options: CrashRunOptions): Promise<CrashRun> {
    const {broker, name: topic, partitions, newDirectory} = options
    const proxy = await startCuttingProxy(broker.bootstrap)
    const env = {
      ...process.env,
      STREAMTOOL_BROKERS: proxy.bootstrap,
      STREAMTOOL_STATE_DIR: await newDirectory(),
      STREAMTOOL_GROUP: `group-${topic}`,
    }
    const crashRun = new CrashRun(options, proxy, await newDirectory(), env)
    await crashRun.client.admin().createTopic(topic, {partitions})
    return crashRun
  }

  get producer() {
    return this.client.producer()
  }

  /** By the real `upload`. */
  async upload(root: string, args: readonly string[] = []): Promise<UploadReport> {
    await this.expect(root)
    return this.counted(() =>
      streamtoolJson<UploadReport>(['upload', root, '--topic', this.options.name, ...args], {env: this.env}),
    )
  }

  /** An `upload` that dies on the way; it has to be run again. */
  async uploadToDie(root: string, fate: Fate): Promise<void> {
    const appointment = new Appointment(fate)
    const {exitCode, signal, stderr} = await run(
      process.execPath,
      [...appointment.nodeArgs, BIN, 'upload', root, '--topic', this.options.name],
      {env: {...this.env, ...appointment.env}},
    )
    if (!appointment.wasKept())
      throw new Error(`upload never reached ${appointment.label}: ${signal ?? exitCode ?? '-'}\n${stderr}`)
  }

  /** Records that are no chunks, spread over all partitions. */
  async spoil(count: number): Promise<void> {
    const {name: topic, partitions} = this.options
    const producer = this.producer
    for (let partition = 0; partition < partitions; partition++) {
      const values = spoiled(count).filter((_, index) => index % partitions === partition)
      const records = values.map((value) => ({key: null, value: [Buffer.from(value)], headers: []}))
      await producer.send({topic, partition, records})
    }
    await producer.close()
  }

  /** @returns how many letters there are. @throws when there is none of one of the records that {@link spoil} sent */
  async deadLetters(topic: string, count: number): Promise<number> {
    const [admin, reader] = [this.client.admin(), this.client.reader()]
    const missing = new Set(spoiled(count))
    let letters = 0
    for (const range of await admin.partitionRanges(topic)) {
      await reader.read(range, async (records) => {
        letters += records.length
        for (const {value} of records) missing.delete(String(value))
      })
    }
    await Promise.all([admin.close(), reader.close()])
    if (missing.size > 0)
      throw new Error(`${missing.size} bad records are not on ${topic}: ${[...missing].join()}`)
    return letters
  }

  async makeTopic(topic: string): Promise<void> {
    const admin = this.client.admin()
    await admin.createTopic(topic, {partitions: 2})
    await admin.close()
  }

  /** The files under the root have to come out, whoever puts them on the topic. */
  async expect(root: string): Promise<void> {
    for (const [path, facts] of await expectationsOf(root)) this.expected.set(path, facts)
  }

  /** What goes to the broker meanwhile is what is on the topic. */
  async counted<T>(work: () => Promise<T>): Promise<T> {
    const before = this.proxy.traffic.toBroker
    const done = await work()
    this.topicBytes += this.proxy.traffic.toBroker - before
    return done
  }

  start(options: {fate?: Fate; args?: readonly string[]} = {}): Member {
    const member = new Member({topic: this.options.name, output: this.output, env: this.env, ...options})
    this.members.push(member)
    return member
  }

  async killedByFate(member: Member): Promise<void> {
    await member.untilKilledByFate()
    this.watch.look()
  }

  async untilAllDelivered(withinMs = 120_000): Promise<void> {
    await eventually(
      `all ${this.expected.size} files are there`,
      () => {
        this.watch.look()
        return this.watch.count >= this.expected.size
      },
      withinMs,
      200,
    )
  }

  async untilUnderConstruction(bytes: number): Promise<void> {
    const isThere = () => this.watch.partialBytes() >= bytes
    await eventually(`${bytes} bytes are under construction`, isThere, 60_000, 20)
  }

  /** Nothing is open and nothing is left to be committed. */
  async untilCommitted(withinMs = 60_000): Promise<void> {
    const admin = this.client.admin()
    const {name: topic} = this.options
    let behind: string[] = []
    const isCommitted = async () => {
      const committed = new Map(
        (await admin.committedOffsets(this.group, topic)).map((offset) => [offset.partition, offset.offset]),
      )
      const ranges = await admin.partitionRanges(topic)
      behind = ranges
        .filter(({partition, start, end}) => (committed.get(partition) ?? start) < end)
        .map(({partition, end}) => `${partition}: ${committed.get(partition) ?? 'nothing'} of ${end}`)
      return behind.length === 0
    }
    try {
      await eventually('everything is committed', isCommitted, withinMs, 100)
    } catch (thrown) {
      throw new Error(`${this.group} has committed ${behind.join(', ')}`, {cause: thrown})
    } finally {
      await admin.close()
    }
  }

  note(happenings: string): void {
    this.happenings = happenings
  }

  /** Compares the trees, judges what was told, and prints the run's line. */
  async end(): Promise<Evidence> {
    this.watch.look()
    const tree = await readTree(this.output)
    const missing = [...this.expected.keys()].filter((path) => !(path in tree)).length
    const evidence = {
      ...judge(this.members),
      files: this.expected.size,
      missing,
      bytesReadAgain: Math.max(0, this.proxy.traffic.fromBroker - this.topicBytes),
      replaced: this.watch.replaced,
      deaths: this.members.filter(({wasKilled}) => wasKilled).length,
    }
    console.log(this.line(evidence))
    return evidence
  }

  async close(): Promise<void> {
    for (const member of this.members) if (member.isRunning) await member.kill()
    await this.client.close()
    await this.proxy.close()
    await rm(this.output, {recursive: true, force: true})
  }

  private line(evidence: Evidence): string {
    const seconds = (performance.now() - this.beganAt) / 1000
    const again = evidence.bytesReadAgain / 1048576
    const topic = this.topicBytes / 1048576
    const restarts = this.members.flatMap(({secondsToAssignment}) => secondsToAssignment ?? [])
    return (
      `${this.options.name}: ${this.happenings}; ${evidence.delivered} of ${evidence.files} files delivered, ` +
      `${evidence.missing} missing, ${evidence.deliveredTwice} delivered twice, ` +
      `${evidence.replaced} put in place again, ` +
      `${evidence.metAgain} met again (at most ${evidence.largestWindow} by one death, ` +
      `${evidence.outsideWindow.length} of them committed), ` +
      `${again.toFixed(1)} MiB read again of ${topic.toFixed(1)}; ` +
      `start to partitions ${median(restarts).toFixed(2)} s, ${Math.max(0, ...restarts).toFixed(2)} s at most; ` +
      `${seconds.toFixed(0)} s`
    )
  }
}

function spoiled(count: number): string[] {
  return Array.from({length: count}, (_, index) => `no chunk, number ${index}`)
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}
