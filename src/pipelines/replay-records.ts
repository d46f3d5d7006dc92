/**
 * Records that a stream processor gave up on, back to where they came from.
 *
 *     dead-letter topic -> letter -> the record as it was -> its topic -> acknowledged -> letter done -> commit
 *
 * A letter is done when the record is acknowledged, so nothing is lost; a crash in between sends it once more. A letter
 * that only says where its record is stands for that record, as long as its topic has it. What is no such letter, is about
 * a topic that nobody named, or about a record that is gone, stays.
 *
 * Anybody who may write to the dead-letter topic could name any topic. So a record goes only where the user said
 * (`to`, or `topic`), or to the topic that the dead-letter topic's own name is about: `error.<topic>.<group>`.
 */
import {decodeFailedRecord, decodeLetter, type RecordOrigin} from '../core/dead-letters/index.js'
import {ExitCode, StreamtoolError} from '../core/errors.js'
import {abortable, isAborted} from '../core/flow/index.js'
import type {
  Clock,
  ConsumedRecord,
  Logger,
  OutgoingRecord,
  RecordProducer,
  StepObserver,
  TopicAdmin,
  TopicReader,
} from '../core/ports/index.js'
import type {PipelineResult, RelayReport, Reporter} from '../core/report.js'
import {OutputBinding} from './relaying/binding.js'
import {OpenRecord} from './relaying/open-record.js'
import {MAX_BATCH_BYTES} from './relaying/options.js'
import {OutputWriter} from './relaying/output-writer.js'
import {commitLetters, ledgersOf} from './retrying/letter-ledgers.js'

export interface ReplayRecordsOptions {
  readonly command: string
  /** The dead-letter topic. */
  readonly from: string
  /** Only records that came from this topic; null: all. */
  readonly topic: string | null
  /** Where they go; null: back to where they came from. */
  readonly to: string | null
  /** Keeps which letters are done. */
  readonly group: string
}

export interface ReplayRecordsPorts {
  readonly admin: TopicAdmin
  readonly reader: TopicReader
  readonly producer: RecordProducer
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly steps: StepObserver
}

/** @throws TOPIC_UNKNOWN, GROUP_BUSY, BROKER_UNREACHABLE, MESSAGE_TOO_LARGE */
export async function replayRecords(
  options: ReplayRecordsOptions,
  ports: ReplayRecordsPorts,
  signal: AbortSignal,
): Promise<PipelineResult<RelayReport>> {
  const {command, from, group} = options
  const {admin, clock, logger, reader, reporter} = ports
  const startedMs = clock.nowMs()
  const {clusterId} = await admin.describeTopic(from)
  reporter.event({event: 'started', command, topic: from, group})
  const ledgers = await ledgersOf({from, group}, admin, clusterId)
  const replay = new Replay(options, ports, signal)
  let left = 0
  try {
    for (const [partition, {ledger, endOffset}] of ledgers.entries()) {
      await reader.read(
        {topic: from, partition, start: ledger.safeOffset, end: endOffset},
        async (records, nextOffset) => {
          const wanted = records.filter(({offset}) => ledger.see(offset))
          const letters: Letter[] = []
          for (const record of wanted) letters.push(...(await replay.letterOf(record)))
          left += wanted.length - letters.length
          await replay.send(letters, (start, end) => ledger.markDone([{start, end}]))
          ledger.passTo(nextOffset)
        },
        signal,
      )
    }
  } catch (thrown) {
    if (!isAborted(signal)) {
      // What is done stays done; what went wrong first is what is told.
      await commitLetters({from, group}, ports, ledgers, clusterId).catch(() => undefined)
      throw thrown
    }
  }
  await commitLetters({from, group}, ports, ledgers, clusterId)
  if (left > 0)
    logger.warn(
      `${left} records of ${from} are no letters of a stream processor, or about a topic that was not named or a record that is gone from it, and stay. ` +
        'Name it with --topic, or say where all are to go with --to; files that were given up need --output.',
    )
  const interrupted = isAborted(signal)
  const report: RelayReport = {
    schema: 1,
    command,
    input: from,
    output: replay.outputs(),
    group,
    interrupted,
    records: {read: replay.sent + left, written: replay.sent, failed: left, deadLettered: 0},
    seconds: (clock.nowMs() - startedMs) / 1000,
  }
  if (interrupted) return {report, exitCode: ExitCode.interrupted}
  return {report, exitCode: left > 0 ? ExitCode.filesUnfinished : ExitCode.done}
}

/** A record that is to be sent back, and the letter that says so. */
interface Letter {
  readonly at: ConsumedRecord
  readonly origin: RecordOrigin
  readonly record: Pick<ConsumedRecord, 'key' | 'value' | 'headers'>
}

interface Destination {
  readonly partitionCount: number
  readonly writer: OutputWriter
}

class Replay {
  sent = 0
  private failure: Error | null = null
  /** By topic. */
  private readonly destinations = new Map<string, Destination>()

  constructor(
    private readonly options: ReplayRecordsOptions,
    private readonly ports: ReplayRecordsPorts,
    private readonly signal: AbortSignal,
  ) {}

  /** Topics that records went to. */
  outputs(): string {
    return this.options.to ?? [...this.destinations.keys()].join(',')
  }

  /** None, or one. */
  async letterOf(at: ConsumedRecord): Promise<readonly Letter[]> {
    const failed = decodeFailedRecord(at)
    if (failed !== null) {
      const {origin, headers} = failed
      return this.isWanted(origin) ? [{at, origin, record: {...at, headers}}] : []
    }
    const reference = decodeLetter(at)
    if (reference?.kind !== 'record' || reference.isCopy || !this.isWanted(reference.origin)) return []
    const record = await this.referred(reference.origin)
    return record === null ? [] : [{at, origin: reference.origin, record}]
  }

  private isWanted({topic: origin}: RecordOrigin): boolean {
    const {from, topic, to} = this.options
    if (topic !== null && origin !== topic) return false
    return to !== null || topic !== null || from.startsWith(`error.${origin}.`)
  }

  /** @returns null when it is gone */
  private async referred({topic, partition, offset}: RecordOrigin): Promise<ConsumedRecord | null> {
    const found: ConsumedRecord[] = []
    try {
      if (partition >= (await this.ports.admin.describeTopic(topic)).partitionCount) return null
      await this.ports.reader.read(
        {topic, partition, start: offset, end: offset + 1},
        async (records) => void found.push(...records.filter((record) => record.offset === offset)),
        this.signal,
      )
    } catch (thrown) {
      if (thrown instanceof StreamtoolError && thrown.code === 'TOPIC_UNKNOWN') return null
      throw thrown
    }
    return found[0] ?? null
  }

  /** In their order, as a relay sends: resolves when all are acknowledged. */
  async send(letters: readonly Letter[], onDone: (start: number, end: number) => void): Promise<void> {
    const settled = (start: number, end: number, records: number) => {
      onDone(start, end)
      this.sent += records
    }
    for (const letter of letters) {
      const {origin, at} = letter
      const {writer, partitionCount} = await this.destination(this.options.to ?? origin.topic)
      const open = new OpenRecord(at, {settled})
      writer.write(origin.partition % partitionCount, outgoing(letter), open)
      open.gotOne()
    }
    for (const {writer} of this.destinations.values()) await abortable(writer.records.atMost(0), this.signal)
    if (this.failure !== null) throw this.failure
  }

  /** @throws TOPIC_UNKNOWN */
  private async destination(topic: string): Promise<Destination> {
    const known = this.destinations.get(topic)
    if (known !== undefined) return known
    const {partitionCount, maxMessageBytes} = await this.ports.admin.describeTopic(topic)
    const fail = (error: Error) => void (this.failure ??= error)
    const writer = new OutputWriter(
      {
        topic,
        producer: this.ports.producer,
        binding: new OutputBinding(),
        maxBatchBytes: Math.min(maxMessageBytes ?? MAX_BATCH_BYTES, MAX_BATCH_BYTES),
        steps: this.ports.steps,
        onWritten: () => undefined,
        onRefused: async (_, error) => {
          fail(error)
          return false
        },
        onFailed: fail,
      },
      this.signal,
    )
    const destination = {partitionCount, writer}
    this.destinations.set(topic, destination)
    return destination
  }
}

/** Its time is that of now: what reads by time would take the old one for past. */
function outgoing({record: {key, value, headers}}: Letter): OutgoingRecord {
  return {key, value: value === null ? null : [value], headers}
}
