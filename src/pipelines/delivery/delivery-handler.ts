/**
 * The group's side of a delivery: what happens when partitions come, when records arrive, when partitions go.
 *
 *     assigned -> records* -> revoked -> assigned -> …
 *
 * Before partitions go: intake stops, finishing files are waited for, 5 s at most or as long as a stop allows, and the last commit is made. Ledgers
 * and open files are kept over a rebalance, and used again only for a partition whose committed offset and map are
 * still exactly those that we wrote last: then nobody else has had it meanwhile, or has done nothing there. Of any
 * other, the files are given up, and what they had in partitions that stay is read again. Of a lost partition nothing
 * is committed; if it is late all the same, the broker refuses it (core/ports/consuming.ts, Epoch).
 */
import {awaitedWithin, isAborted} from '../../core/flow/index.js'
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
import {type Conclusion, Reassembly, type ReassemblyOptions} from '../../core/reassembly/index.js'
import type {Reporter} from '../../core/report.js'
import type {Notices} from './notices.js'
import {fresh, type PartitionProgress, resume} from './partition-progress.js'
import {PartitionTable, type Position} from './partition-table.js'
import {RecordIntake, type RecordIntakeOptions} from './record-intake.js'
import type {Tally} from './tally.js'
import {TrimmedLog} from './trimmed-log.js'

/** How long files that are being finished, or removed, may hold up a rebalance. */
const REBALANCE_DRAIN_MS = 5000

export interface DeliveryHandlerOptions extends Omit<ReassemblyOptions, 'onReread'>, RecordIntakeOptions {
  /** How long files that are being finished may hold up the end of the run. */
  readonly stopDrainMs: number
  readonly clusterId: string
  readonly commitIntervalMs: number
  readonly commitFiles: number
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly steps: StepObserver
  readonly tally: Tally
  readonly notices: Notices
  /** After it was told and counted. */
  readonly onConcluded: (conclusion: Conclusion) => void
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
  private readonly intake: RecordIntake

  constructor(private readonly options: DeliveryHandlerOptions) {
    this.reassembly = new Reassembly({
      ...options,
      onConcluded: (conclusion) => this.concluded(conclusion),
      onReread: (offsets) => this.seek(this.partitions.stepBack(offsets)),
    })
    this.intake = new RecordIntake(options, this.reassembly, this.partitions)
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
    this.partitions.stepBack(await this.discarded(gone))

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

  async records(batch: RecordBatch): Promise<void> {
    const {partition, endOffset, epoch} = batch
    const progress = this.partitions.get(partition)
    if (!progress || epoch !== this.epoch) return
    const {signal} = this.revoking
    progress.endOffset = Math.max(progress.endOffset, endOffset)
    const areFree = await this.intake.take(progress, batch, signal)
    if (!isAborted(signal)) this.seek([this.partitions.jumpOverDone(partition)])
    if ((await this.intake.absorbed(signal)) && areFree) batch.release()
    this.options.onProgress()
  }

  async revoked(epoch: Epoch, _: readonly TopicPartition[], reason: RevokeReason): Promise<void> {
    if (epoch !== this.epoch) return
    this.revoking.abort(new Error('the epoch is over'))
    this.epoch = null
    if (reason !== 'lost') {
      if (reason === 'stopping') this.reassembly.finishNoMore()
      await awaitedWithin(
        reason === 'stopping' ? this.options.stopDrainMs : REBALANCE_DRAIN_MS,
        this.reassembly.drained(),
        this.options.clock,
      )
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
      const wanted = await this.discarded(new Set([partition]))
      this.partitions.set(partition, fresh(range))
      this.seek(this.partitions.stepBack(wanted))
      this.truncated(where, position, {start, end})
    }
    return start
  }

  /** A destination that answers nothing keeps the group waiting no longer than one that finishes files. */
  private async discarded(partitions: ReadonlySet<number>): Promise<ReadonlyMap<number, IntervalSet>> {
    const {reread, removed} = this.reassembly.discardPartitions(partitions)
    await awaitedWithin(REBALANCE_DRAIN_MS, removed, this.options.clock)
    return reread
  }

  private concluded(conclusion: Conclusion): void {
    if (LEDGER_EFFECT[conclusion.outcome] === 'done') this.partitions.markDone(conclusion.offsets)
    this.options.tally.concluded(conclusion)
    this.commits?.fileDone()
    this.options.onConcluded(conclusion)
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

  /** Offsets mean other records now, so nothing may be judged by those that were delivered before. */
  private truncated(where: string, position: number, range: {start: number; end: number}): void {
    this.reassembly.forgetConcluded()
    this.options.notices.truncated(where, position, range)
  }
}

function lastCommits(partitions: readonly AssignedPartition[]): CommittedOffset[] {
  return partitions.flatMap(({topic, partition, committed}) =>
    committed === null ? [] : [{topic, partition, ...committed}],
  )
}
