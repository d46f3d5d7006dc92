/**
 * The group's side of a delivery: what happens when partitions come, when records arrive, when partitions go.
 * All offsets pass through here on their way from record to ledger.
 */
import {decodeChunk} from '../../core/chunk/index.js'
import {abortable} from '../../core/flow/index.js'
import {
  CommitManager,
  type CommittedPartition,
  type IntervalSet,
  LEDGER_EFFECT,
} from '../../core/offsets/index.js'
import type {
  AssignedPartition,
  Clock,
  CommittedOffset,
  ConsumedRecord,
  Epoch,
  GroupHandler,
  Logger,
  PartitionRange,
  RecordBatch,
  RevokeReason,
  StartPosition,
  StepObserver,
  TopicPartition,
} from '../../core/ports/index.js'
import {Reassembly, type ReassemblyOptions, type Conclusion} from '../../core/reassembly/index.js'
import type {Reporter} from '../../core/report.js'
import {fresh, type PartitionProgress, resume} from './partition-progress.js'
import type {Tally} from './tally.js'

/** How long files that are being finished may hold up a rebalance. */
const DRAIN_MS = 5000
/** A done run shorter than this is fetched and skipped: cheaper than dropping what is fetched already. */
const SEEK_OVER_RECORDS = 256

export interface DeliveryHandlerOptions extends Omit<ReassemblyOptions, 'onConcluded' | 'onReread'> {
  readonly clusterId: string
  readonly partitionCount: number
  readonly commitIntervalMs: number
  readonly commitFiles: number
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly steps: StepObserver
  readonly tally: Tally
  /** Called whenever something was read, concluded or assigned. */
  readonly onProgress: () => void
}

export class DeliveryHandler implements GroupHandler {
  readonly reassembly: Reassembly
  private progress = new Map<number, PartitionProgress>()
  private epoch: Epoch | null = null
  private commits: CommitManager | null = null
  private revoking = new AbortController()
  private spreadChunksTold = false

  constructor(private readonly options: DeliveryHandlerOptions) {
    this.reassembly = new Reassembly({
      ...options,
      onConcluded: (conclusion) => this.concluded(conclusion),
      onReread: (offsets) => this.reread(offsets),
    })
  }

  /** The partitions of this process, and where they stand; null between two assignments. */
  get assignment(): ReadonlyMap<number, PartitionProgress> | null {
    return this.epoch === null ? null : this.progress
  }

  async assigned(epoch: Epoch, partitions: readonly AssignedPartition[]): Promise<StartPosition[]> {
    const kept = this.keptFrom(partitions)
    const gone = new Set([...this.progress.keys()].filter((partition) => !kept.has(partition)))
    const wanted = await this.reassembly.discardPartitions(gone)
    this.progress = new Map(partitions.map((p) => [p.partition, kept.get(p.partition) ?? this.resumed(p)]))
    for (const [partition, offsets] of wanted) this.stepBack(partition, offsets)

    this.epoch = epoch
    this.revoking = new AbortController()
    const known = partitions.flatMap(({topic, partition, committed}) =>
      committed === null ? [] : [{topic, partition, ...committed}],
    )
    this.commits = this.commitManager(epoch, known)
    this.commits.start()

    const starts = partitions.map(({topic, partition, start, end}) => {
      const offset = this.progress.get(partition)?.readPosition ?? start
      return {topic, partition, offset, end}
    })
    this.options.reporter.event({event: 'assignment', generation: epoch.generation, partitions: starts})
    this.options.onProgress()
    return starts
  }

  async records({partition, records, nextOffset, epoch}: RecordBatch): Promise<void> {
    const progress = this.progress.get(partition)
    if (!progress || epoch !== this.epoch) return
    const {signal} = this.revoking
    for (const record of records) {
      if (signal.aborted) return
      this.options.tally.records += 1
      if (progress.ledger.see(record.offset)) this.route(progress, record)
      progress.readPosition = record.offset + 1
    }
    progress.ledger.passTo(nextOffset)
    progress.readPosition = nextOffset
    this.jumpOverDone(partition, progress)
    await abortable(this.reassembly.absorbed(), signal).catch(() => undefined)
    this.options.onProgress()
  }

  async revoked(epoch: Epoch, _: readonly TopicPartition[], reason: RevokeReason): Promise<void> {
    if (epoch !== this.epoch) return
    this.revoking.abort(new Error('the epoch is over'))
    this.epoch = null
    if (reason !== 'lost') {
      await this.drain()
      await this.commits?.commit()
    }
    await this.commits?.stop()
    // After a rebalance the partitions may come back to us; until then nobody else has changed their offsets.
    if (reason === 'rebalance') return
    await this.reassembly.discardAll()
    this.progress = new Map()
    this.commits = null
  }

  async outOfRange(
    _: Epoch,
    {topic, partition, start, end}: PartitionRange,
    position: number,
  ): Promise<number> {
    const where = `${topic}-${partition}`
    const progress = this.progress.get(partition)
    if (position < start) {
      progress?.ledger.writeOffBelow(start)
      this.warnTrimmed(where, start - position, start)
    } else {
      await this.reassembly.discardPartitions(new Set([partition]))
      this.progress.set(partition, fresh(start).progress)
      this.truncated(where, position, {start, end})
    }
    const now = this.progress.get(partition)
    if (now) now.readPosition = start
    return start
  }

  private route(progress: PartitionProgress, record: ConsumedRecord): void {
    const decoded = decodeChunk(record)
    if ('poison' in decoded) {
      this.markDone(progress, record.offset)
      this.options.tally.poisoned(record, decoded)
      return
    }
    if (!decoded.headers.partitionedByFile) this.warnIfSpread()
    if (this.reassembly.accept(decoded, record) === 'stray') this.markDone(progress, record.offset)
  }

  private markDone({ledger}: PartitionProgress, offset: number): void {
    ledger.markDone([{start: offset, end: offset + 1}])
  }

  private concluded(conclusion: Conclusion): void {
    if (LEDGER_EFFECT[conclusion.outcome] === 'done') {
      for (const [partition, offsets] of conclusion.offsets) {
        this.progress.get(partition)?.ledger.markDone(offsets.runs())
      }
    }
    this.options.tally.concluded(conclusion)
    this.commits?.fileDone()
    this.options.onProgress()
  }

  private reread(offsets: ReadonlyMap<number, IntervalSet>): void {
    for (const [partition, wanted] of offsets) {
      const position = this.stepBack(partition, wanted)
      if (position !== null) this.epoch?.seek({topic: this.options.topic, partition}, position)
    }
  }

  /** Reading goes on at the first of these offsets, if it stands behind them. */
  private stepBack(partition: number, wanted: IntervalSet): number | null {
    const progress = this.progress.get(partition)
    const [first] = wanted.runs()
    if (!progress || !first || first.start >= progress.readPosition) return null
    progress.readPosition = first.start
    return first.start
  }

  private jumpOverDone(partition: number, progress: PartitionProgress): void {
    const target = progress.ledger.afterDone(progress.readPosition)
    if (target - progress.readPosition < SEEK_OVER_RECORDS) return
    progress.readPosition = target
    this.epoch?.seek({topic: this.options.topic, partition}, target)
  }

  /** Partitions that were ours and whose last commit is still the one we wrote: nobody else had them meanwhile. */
  private keptFrom(partitions: readonly AssignedPartition[]): Map<number, PartitionProgress> {
    const kept = new Map<number, PartitionProgress>()
    for (const {partition, committed} of partitions) {
      const progress = this.progress.get(partition)
      const written = this.commits?.written(partition)
      const untouched =
        committed !== null && written?.offset === committed.offset && written.metadata === committed.metadata
      if (progress && untouched) kept.set(partition, progress)
    }
    return kept
  }

  private resumed(assigned: AssignedPartition): PartitionProgress {
    const {progress, trimmed, truncatedFrom} = resume(assigned, this.options.clusterId)
    const where = `${assigned.topic}-${assigned.partition}`
    if (trimmed > 0) this.warnTrimmed(where, trimmed, assigned.start)
    if (truncatedFrom !== null) this.truncated(where, truncatedFrom, assigned)
    return progress
  }

  private commitManager(epoch: Epoch, lastKnown: readonly CommittedOffset[]): CommitManager {
    const {topic, clusterId, commitIntervalMs, commitFiles, clock, steps, reporter} = this.options
    const {progress} = this
    const ledgers = () => [...progress].map(([partition, {ledger}]) => [partition, ledger] as const)
    const options = {
      intervalMs: commitIntervalMs,
      files: commitFiles,
      clock,
      steps,
      onCommitted: (partitions: readonly CommittedPartition[]) =>
        reporter.event({
          event: 'committed',
          partitions: partitions.map(({partition, offset, doneAbove}) => ({partition, offset, doneAbove})),
        }),
      onFailed: (error: Error) =>
        this.options.logger.warn(`A commit failed and will be made anew: ${error.message}`),
    }
    return new CommitManager({topic, clusterId, epoch, ledgers}, options, lastKnown)
  }

  private async drain(): Promise<void> {
    const enough = new AbortController()
    const timeout = this.options.clock.sleep(DRAIN_MS, enough.signal).catch(() => undefined)
    await Promise.race([this.reassembly.drained(), timeout])
    enough.abort()
  }

  /** Offsets mean other records now, so nothing may be judged by those that were delivered before. */
  private truncated(where: string, position: number, {start, end}: {start: number; end: number}): void {
    this.reassembly.forgetDelivered()
    this.warn(
      'LOG_TRUNCATED',
      `${where} ends at ${end}, before the position ${position}: it was truncated or made anew. ` +
        `Reading it again from ${start}.`,
      {position, end},
    )
  }

  private warnTrimmed(where: string, records: number, start: number): void {
    this.warn(
      'LOG_TRIMMED',
      `${where}: ${records} offsets that were not done yet are gone from the topic (it now begins at ${start}). ` +
        'Files that had chunks there must be uploaded again.',
      {offsets: records},
    )
  }

  private warnIfSpread(): void {
    if (this.spreadChunksTold || this.progress.size >= this.options.partitionCount) return
    this.spreadChunksTold = true
    this.warn(
      'CHUNKS_SPREAD',
      'This topic has chunks that were not partitioned by file, and this member of the group owns only ' +
        `${this.progress.size} of ${this.options.partitionCount} partitions: files whose chunks are spread over ` +
        'partitions of several members stay incomplete. Run a single member in this group.',
      {},
    )
  }

  private warn(code: string, message: string, facts: Record<string, unknown>): void {
    this.options.logger.warn(message, {code, ...facts})
    this.options.reporter.event({...facts, event: 'warning', code, message})
  }
}
