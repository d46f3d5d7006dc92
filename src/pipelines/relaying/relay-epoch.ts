/**
 * One assignment of partitions: a lane for each, one writer for all, and a commit manager for each input.
 *
 *     records -> lane (in order) -> transform -> writer -> acknowledged -> ledger -> commit
 *
 * It ends in this order: nothing further is begun; what was handed to the output is waited for, some seconds at most;
 * the last commit is made. What is not acknowledged then stays open, and whoever has the partition next reads it again.
 */
import {setMaxListeners} from 'node:events'
import {abortable, awaitedWithin, isAborted, type Semaphore} from '../../core/flow/index.js'
import {CommitManager} from '../../core/offsets/index.js'
import type {
  Clock,
  Epoch,
  RecordBatch,
  RevokeReason,
  StepObserver,
  TopicPartition,
} from '../../core/ports/index.js'
import type {CommittedPartition} from '../../core/offsets/index.js'
import type {PartitionProgress} from '../delivery/partition-progress.js'
import {PartitionTable} from '../delivery/partition-table.js'
import {Lane} from './lane.js'
import type {RelayFlow} from './options.js'
import {OutputWriter, type OutputWriterOptions} from './output-writer.js'
import type {RecordHandler} from './record-handler.js'
import type {RelayTally} from './tally.js'

/** How long what is under way may hold up a rebalance, and a stop. */
const DRAIN_MS = {rebalance: 5000, stopping: 10_000} as const

export interface RelayEpochOptions {
  readonly clusterId: string
  readonly flow: RelayFlow
  readonly turns: Semaphore
  readonly clock: Clock
  readonly steps: StepObserver
  readonly tally: RelayTally
  readonly output: Omit<OutputWriterOptions, 'onWritten' | 'onRefused' | 'onFailed' | 'steps'>
  readonly recordHandler: (writer: OutputWriter, over: AbortSignal) => RecordHandler
  readonly onCommitted: (topic: string, partitions: readonly CommittedPartition[]) => void
  readonly onCommitFailed: (error: Error) => void
  /** Something was done. */
  readonly onProgress: () => void
  /** The run cannot go on. */
  readonly onFailed: (error: Error) => void
}

export interface Assigned extends TopicPartition {
  readonly progress: PartitionProgress
  readonly committed: {readonly offset: number; readonly metadata: string} | null
}

export class RelayEpoch {
  readonly tables = new Map<string, PartitionTable>()
  private readonly lanes = new Map<string, Lane>()
  private readonly commits = new Map<string, CommitManager>()
  /** Nothing further is begun. */
  private readonly ending = new AbortController()
  /** Nobody waits for what is under way any more. */
  private readonly over = new AbortController()
  /** Then what is under way will never be acknowledged. */
  private readonly outputLost = told()
  private readonly writer: OutputWriter
  private readonly handler: RecordHandler

  constructor(
    readonly epoch: Epoch,
    assigned: readonly Assigned[],
    private readonly options: RelayEpochOptions,
  ) {
    for (const {signal} of [this.ending, this.over]) setMaxListeners(0, signal)
    this.writer = this.createWriter()
    this.handler = options.recordHandler(this.writer, this.over.signal)
    for (const {topic, partition, progress} of assigned) {
      const table = this.tables.get(topic) ?? new PartitionTable()
      this.tables.set(topic, table)
      table.set(partition, progress)
      this.lanes.set(nameOf({topic, partition}), this.createLane(topic, progress))
    }
    for (const topic of this.tables.keys()) this.commits.set(topic, this.createCommits(topic, assigned))
  }

  /** Handed to the output, and not acknowledged. */
  get inFlight(): {readonly records: number; readonly bytes: number} {
    return {records: this.writer.records.value, bytes: this.writer.bytes.value}
  }

  get endSignal(): AbortSignal {
    return this.ending.signal
  }

  progress({topic, partition}: TopicPartition): PartitionProgress | null {
    return this.tables.get(topic)?.get(partition) ?? null
  }

  /** Resolves when all that was taken of the partition is done, or the epoch is over. */
  async settled(partition: TopicPartition): Promise<void> {
    await this.lanes.get(nameOf(partition))?.settled()
  }

  /** What the partition's offsets meant, they mean no more. */
  beginAnew({topic, partition}: TopicPartition, progress: PartitionProgress): void {
    this.tables.get(topic)?.set(partition, progress)
    this.lanes.set(nameOf({topic, partition}), this.createLane(topic, progress))
  }

  start(): void {
    for (const commits of this.commits.values()) commits.start()
  }

  /** Resolves when there is room for another batch of the partition. */
  async take(batch: RecordBatch): Promise<void> {
    const {topic, partition} = batch
    const target = await this.lanes.get(nameOf(batch))?.take(batch)
    if (target !== null && target !== undefined && !isAborted(this.ending.signal))
      this.epoch.seek({topic, partition}, target)
  }

  async commit(): Promise<void> {
    for (const commits of this.commits.values()) await commits.commit()
  }

  async end(reason: RevokeReason): Promise<void> {
    this.ending.abort(new Error('the epoch is over'))
    if (reason !== 'lost') await this.drain(DRAIN_MS[reason])
    this.over.abort(new Error('the epoch is over'))
    if (reason !== 'lost') await this.commit()
    for (const commits of this.commits.values()) await commits.stop()
  }

  private async drain(limitMs: number): Promise<void> {
    const {binding} = this.options.output
    const drained =
      binding.state === 'stopped'
        ? binding.whenIdle()
        : Promise.all([...this.lanes.values()].map((lane) => lane.idle())).then(() =>
            this.writer.records.atMost(0),
          )
    await awaitedWithin(limitMs, Promise.race([drained, this.outputLost.promise]), this.options.clock)
  }

  private createWriter(): OutputWriter {
    const {output, steps, tally, onProgress, onFailed} = this.options
    return new OutputWriter(
      {
        ...output,
        steps,
        onWritten: (records) => {
          tally.written += records
          onProgress()
        },
        onRefused: (open, error) => this.handler.refused(open, error),
        onFailed: (error) => {
          this.outputLost.tell()
          onFailed(error)
        },
      },
      this.over.signal,
    )
  }

  private createLane(topic: string, progress: PartitionProgress): Lane {
    const {turns, tally, flow, onProgress, onFailed} = this.options
    const {bytes, records} = this.writer
    return new Lane({
      progress,
      turns,
      signal: this.ending.signal,
      handle: (open, pause) => {
        tally.taken += 1
        tally.bytesTaken += open.record.value?.length ?? 0
        return this.handler.handle(open, pause)
      },
      whenOutputAllows: () => {
        const isFull = bytes.value > flow.inFlightBytes || records.value > flow.inFlightRecords
        return isFull ? this.whenOutputAllows() : undefined
      },
      onDone: (count) => {
        tally.read += count
        this.commits.get(topic)?.done(count)
        onProgress()
      },
      onFailed,
    })
  }

  private async whenOutputAllows(): Promise<void> {
    const {inFlightBytes, inFlightRecords} = this.options.flow
    const {bytes, records} = this.writer
    // What is given up is never acknowledged.
    await abortable(bytes.atMost(inFlightBytes), this.over.signal)
    await abortable(records.atMost(inFlightRecords), this.over.signal)
  }

  private createCommits(topic: string, assigned: readonly Assigned[]): CommitManager {
    const {clusterId, clock, steps, flow, onCommitted, onCommitFailed} = this.options
    const lastKnown = assigned.flatMap(({committed, partition, ...each}) =>
      each.topic === topic && committed !== null ? [{topic, partition, ...committed}] : [],
    )
    const ledgers = () => this.tables.get(topic)?.ledgers() ?? []
    return new CommitManager(
      {topic, clusterId, epoch: this.epoch, ledgers},
      {
        intervalMs: flow.commitIntervalMs,
        files: flow.commitRecords,
        clock,
        steps,
        onCommitted: (partitions) => onCommitted(topic, partitions),
        onFailed: onCommitFailed,
      },
      lastKnown,
    )
  }
}

const nameOf = ({topic, partition}: TopicPartition) => `${topic}/${partition}`

function told(): {readonly promise: Promise<void>; readonly tell: () => void} {
  let tell: () => void = () => undefined
  const promise = new Promise<void>((resolve) => (tell = resolve))
  return {promise, tell}
}
