/**
 * The group's side of a delivery: what happens when partitions come, when records arrive, when partitions go.
 * All offsets pass through here on their way from record to ledger.
 */
import type {DecodedChunk, Poison} from '../../core/chunk/index.js'
import {abortable, isAborted, RecentKeys} from '../../core/flow/index.js'
import {CommitManager, type CommittedPartition, LEDGER_EFFECT} from '../../core/offsets/index.js'
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
import {
  type Conclusion,
  generationKey,
  Reassembly,
  type ReassemblyOptions,
} from '../../core/reassembly/index.js'
import type {Reporter} from '../../core/report.js'
import type {DeadLetters, RefusedChunk} from './dead-letters.js'
import type {Notices} from './notices.js'
import {DecodingAhead} from './decoding-ahead.js'
import {fresh, type PartitionProgress, resume} from './partition-progress.js'
import {PartitionTable, type Position} from './partition-table.js'
import type {Tally} from './tally.js'
import {TrimmedLog} from './trimmed-log.js'

/** How long files that are being finished may hold up a rebalance. */
const DRAIN_MS = 5000
/** One answer may hold a hundred thousand small files; so many may be open that are not written yet. */
const RECORDS_AT_ONCE = 512
/** How many excluded files are told as one each, however many chunks they have. */
const EXCLUDED_REMEMBERED = 65_536

export interface DeliveryHandlerOptions extends Omit<ReassemblyOptions, 'onConcluded' | 'onReread'> {
  readonly clusterId: string
  readonly partitionCount: number
  readonly commitIntervalMs: number
  readonly commitFiles: number
  /** Whether the user wants this file; null when all are wanted. */
  readonly wants: ((path: string) => boolean) | null
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly steps: StepObserver
  readonly tally: Tally
  readonly notices: Notices
  /** Null without a dead-letter topic. */
  readonly deadLetters: DeadLetters | null
  /** Called whenever something was read, concluded or assigned. */
  readonly onProgress: () => void
}

export class DeliveryHandler implements GroupHandler {
  readonly reassembly: Reassembly
  readonly partitions = new PartitionTable()
  readonly trimmedLog: TrimmedLog
  private epoch: Epoch | null = null
  private commits: CommitManager | null = null
  private revoking = new AbortController()
  private readonly excluded = new RecentKeys<true>(EXCLUDED_REMEMBERED)

  constructor(private readonly options: DeliveryHandlerOptions) {
    this.reassembly = new Reassembly({
      ...options,
      onConcluded: (conclusion) => this.concluded(conclusion),
      onReread: (offsets) => this.seek(this.partitions.stepBack(offsets)),
    })
    this.trimmedLog = new TrimmedLog({...options, reassembly: this.reassembly})
  }

  /** The partitions of this process, and where they stand; null between two assignments. */
  get assignment(): PartitionTable | null {
    return this.epoch === null ? null : this.partitions
  }

  async assigned(epoch: Epoch, assigned: readonly AssignedPartition[]): Promise<StartPosition[]> {
    const kept = this.keptFrom(assigned)
    const progress = new Map(assigned.map((p) => [p.partition, kept.get(p.partition) ?? this.resumed(p)]))
    const gone = this.partitions.replace(progress)
    this.partitions.stepBack(await this.reassembly.discardPartitions(gone))

    this.epoch = epoch
    this.revoking = new AbortController()
    this.commits = this.commitManager(epoch, lastCommits(assigned))
    this.commits.start()

    const starts = assigned.map(({topic, partition, start, end}) => {
      const offset = this.partitions.get(partition)?.readPosition ?? start
      return {topic, partition, offset, end}
    })
    this.options.reporter.event({event: 'assignment', generation: epoch.generation, partitions: starts})
    this.options.onProgress()
    return starts
  }

  async records({partition, records, nextOffset, endOffset, epoch}: RecordBatch): Promise<void> {
    const progress = this.partitions.get(partition)
    if (!progress || epoch !== this.epoch) return
    const {signal} = this.revoking
    const refused: RefusedChunk[] = []
    progress.endOffset = Math.max(progress.endOffset, endOffset)
    if (await this.readAll(progress, records, refused, signal)) {
      progress.ledger.passTo(nextOffset)
      progress.readPosition = nextOffset
      this.seek([this.partitions.jumpOverDone(partition)])
    }
    if (refused.length > 0) await this.refuse(progress, refused, signal)
    await this.absorbed(signal)
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
    this.partitions.clear()
    this.commits = null
  }

  async outOfRange(_: Epoch, range: PartitionRange, position: number): Promise<number> {
    const {topic, partition, start, end} = range
    const where = `${topic}-${partition}`
    const progress = this.partitions.get(partition)
    if (position < start) {
      if (progress) {
        this.trimmedLog.writeOff(range, progress.ledger)
        progress.readPosition = start
      }
    } else {
      await this.reassembly.discardPartitions(new Set([partition]))
      this.partitions.set(partition, fresh(range))
      this.truncated(where, position, {start, end})
    }
    return start
  }

  /** @returns false when what is left is not wanted: the epoch is over, or reading was told to go on further back */
  private async readAll(
    progress: PartitionProgress,
    records: readonly ConsumedRecord[],
    refused: RefusedChunk[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const nowMs = this.options.clock.nowMs()
    const decoding = new DecodingAhead(records, ({offset}) => !progress.ledger.isDone(offset))
    let position = progress.readPosition
    const isOver = () => isAborted(signal) || progress.readPosition !== position
    for (const [i, record] of records.entries()) {
      if (i % RECORDS_AT_ONCE === 0) await this.absorbed(signal)
      if (isOver()) return false
      this.options.tally.records += 1
      if (progress.ledger.see(record.offset)) {
        const decoded = decoding.take(i)
        const chunk = decoded instanceof Promise ? await decoded : decoded
        if (isOver()) return false
        this.route(progress, record, chunk, nowMs, refused)
      }
      progress.readPosition = position = record.offset + 1
    }
    return true
  }

  /** Or the epoch is over: then nobody waits for what was read. */
  private async absorbed(signal: AbortSignal): Promise<void> {
    await abortable(this.reassembly.absorbed(), signal).catch(() => undefined)
  }

  private route(
    progress: PartitionProgress,
    record: ConsumedRecord,
    decoded: DecodedChunk | Poison,
    nowMs: number,
    refused: RefusedChunk[],
  ): void {
    if ('poison' in decoded) {
      this.options.tally.poisoned(record, decoded)
      if (this.options.deadLetters === null) markDone(progress, record)
      else refused.push({record, poison: decoded})
      return
    }
    if (this.isExcluded(decoded)) {
      markDone(progress, record)
      return
    }
    if (!decoded.headers.partitionedByFile) this.noticeSpread()
    if (this.reassembly.accept(decoded, record, nowMs) === 'stray') markDone(progress, record)
  }

  private isExcluded(decoded: DecodedChunk): boolean {
    const {wants, tally} = this.options
    if (wants === null || wants(decoded.path)) return false
    const key = generationKey(decoded)
    if (this.excluded.get(key) === undefined) {
      this.excluded.set(key, true)
      tally.excluded(decoded.path)
    }
    return true
  }

  /** What is no chunk is done once the dead-letter topic has it; until then it stays open. */
  private async refuse(
    progress: PartitionProgress,
    refused: readonly RefusedChunk[],
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.options.deadLetters?.refuse(refused, signal)
    } catch (thrown) {
      const [first] = refused
      // Should the partition come back to us, they are read again.
      if (signal.aborted && first)
        progress.readPosition = Math.min(progress.readPosition, first.record.offset)
      else this.options.notices.deadLettersRefused(thrown instanceof Error ? thrown.message : String(thrown))
      return
    }
    for (const {record} of refused) markDone(progress, record)
  }

  private concluded(conclusion: Conclusion): void {
    if (LEDGER_EFFECT[conclusion.outcome] === 'done') this.partitions.markDone(conclusion.offsets)
    this.options.tally.concluded(conclusion)
    this.commits?.fileDone()
    this.options.onProgress()
  }

  private seek(positions: readonly (Position | null)[]): void {
    const {topic} = this.options
    for (const position of positions)
      if (position) this.epoch?.seek({topic, partition: position.partition}, position.offset)
  }

  /** Partitions that were ours and whose last commit is still the one we wrote: nobody else had them meanwhile. */
  private keptFrom(partitions: readonly AssignedPartition[]): Map<number, PartitionProgress> {
    const kept = new Map<number, PartitionProgress>()
    for (const {partition, committed, end} of partitions) {
      const progress = this.partitions.get(partition)
      const written = this.commits?.written(partition)
      const untouched =
        committed !== null && written?.offset === committed.offset && written.metadata === committed.metadata
      if (!progress || !untouched) continue
      progress.endOffset = Math.max(progress.endOffset, end)
      kept.set(partition, progress)
    }
    return kept
  }

  private resumed(assigned: AssignedPartition): PartitionProgress {
    const {progress, trimmed, truncatedFrom} = resume(assigned, this.options.clusterId)
    const where = `${assigned.topic}-${assigned.partition}`
    this.trimmedLog.tell(assigned, trimmed)
    if (truncatedFrom !== null) this.truncated(where, truncatedFrom, assigned)
    return progress
  }

  private commitManager(epoch: Epoch, lastKnown: readonly CommittedOffset[]): CommitManager {
    const {topic, clusterId, commitIntervalMs, commitFiles, clock, steps, reporter} = this.options
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
    const ledgers = () => this.partitions.ledgers()
    return new CommitManager({topic, clusterId, epoch, ledgers}, options, lastKnown)
  }

  private async drain(): Promise<void> {
    const enough = new AbortController()
    const timeout = this.options.clock.sleep(DRAIN_MS, enough.signal).catch(() => undefined)
    await Promise.race([this.reassembly.drained(), timeout])
    enough.abort()
  }

  /** Offsets mean other records now, so nothing may be judged by those that were delivered before. */
  private truncated(where: string, position: number, range: {start: number; end: number}): void {
    this.reassembly.forgetConcluded()
    this.options.notices.truncated(where, position, range)
  }

  private noticeSpread(): void {
    const {size} = this.partitions
    const {partitionCount, notices} = this.options
    if (size < partitionCount) notices.chunksSpread(size, partitionCount)
  }
}

function markDone({ledger}: PartitionProgress, {offset}: ConsumedRecord): void {
  ledger.markDone([{start: offset, end: offset + 1}])
}

function lastCommits(partitions: readonly AssignedPartition[]): CommittedOffset[] {
  return partitions.flatMap(({topic, partition, committed}) =>
    committed === null ? [] : [{topic, partition, ...committed}],
  )
}
