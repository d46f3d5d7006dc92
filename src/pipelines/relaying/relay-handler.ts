/** The group's side of a relay: what happens when partitions come, when records arrive, when partitions go. */
import type {
  AssignedPartition,
  Clock,
  Epoch,
  GroupHandler,
  Logger,
  PartitionRange,
  RecordBatch,
  RevokeReason,
  StartPosition,
  TopicPartition,
} from '../../core/ports/index.js'
import type {Reporter} from '../../core/report.js'
import {abortable, isAborted} from '../../core/flow/index.js'
import {fresh, type PartitionProgress, resume} from '../delivery/partition-progress.js'
import type {PartitionTable} from '../delivery/partition-table.js'
import {type LatestStarts, placeOf} from './latest.js'
import type {LogNotices} from './log-notices.js'
import {RelayEpoch, type RelayEpochOptions} from './relay-epoch.js'

export interface RelayHandlerOptions extends RelayEpochOptions {
  /** Where partitions begin of which nothing is committed. */
  readonly latestStarts: LatestStarts
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly notices: LogNotices
  /** Resolves when reading is not paused. */
  readonly whenNotPaused: () => Promise<void>
}

export class RelayHandler implements GroupHandler {
  /** When records, or the news that there are none, came last. */
  readonly lastPollMs = new Map<string, number>()
  private current: RelayEpoch | null = null

  constructor(private readonly options: RelayHandlerOptions) {}

  /** The partitions of this process by topic; null between two assignments. */
  get tables(): ReadonlyMap<string, PartitionTable> | null {
    return this.current?.tables ?? null
  }

  get inFlight(): {readonly records: number; readonly bytes: number} {
    return this.current?.inFlight ?? {records: 0, bytes: 0}
  }

  async assigned(epoch: Epoch, assigned: readonly AssignedPartition[]): Promise<StartPosition[]> {
    const partitions = assigned.map((each) => ({...each, progress: this.begin(each)}))
    const current = new RelayEpoch(epoch, partitions, this.options)
    this.current = current
    current.start()
    // Who starts after a crash must not begin later than here.
    if (this.options.latestStarts.size > 0) await current.commit()
    const starts = partitions.map(({topic, partition, end, progress}) => ({
      topic,
      partition,
      offset: progress.readPosition,
      end,
    }))
    this.options.reporter.event({event: 'assignment', generation: epoch.generation, partitions: starts})
    this.options.onProgress()
    return starts
  }

  async records(batch: RecordBatch): Promise<void> {
    const {current} = this
    if (current === null || batch.epoch !== current.epoch) return
    this.lastPollMs.set(batch.topic, this.options.clock.nowMs())
    await abortable(this.options.whenNotPaused(), current.endSignal).catch(() => undefined)
    if (isAborted(current.endSignal)) return
    await current.take(batch)
    this.options.onProgress()
  }

  async revoked(epoch: Epoch, _: readonly TopicPartition[], reason: RevokeReason): Promise<void> {
    const {current} = this
    if (current === null || epoch !== current.epoch) return
    this.current = null
    await current.end(reason)
  }

  async outOfRange(_: Epoch, range: PartitionRange, position: number): Promise<number> {
    const {current} = this
    const progress = current?.progress(range)
    const {start} = range
    if (!current || !progress) return start
    if (position < start) {
      // What is here already is passed on; only what nobody will ever read is lost.
      await current.settled(range)
      if (isAborted(current.endSignal)) return start
      this.options.notices.trimmed(range, progress.ledger.writeOffBelow(start))
      progress.readPosition = Math.max(progress.readPosition, start)
    } else {
      this.options.notices.truncated(range, position)
      current.beginAnew(range, fresh(range))
    }
    return start
  }

  private begin(assigned: AssignedPartition): PartitionProgress {
    const {start, end, committed} = assigned
    const latest = this.options.latestStarts.get(placeOf(assigned))
    if (committed === null && latest !== undefined)
      return fresh({start: Math.min(Math.max(start, latest), end), end})
    const {progress, trimmed, truncatedFrom} = resume(assigned, this.options.clusterId)
    if (trimmed.size > 0) this.options.notices.trimmed(assigned, trimmed)
    if (truncatedFrom !== null) this.options.notices.truncated(assigned, truncatedFrom)
    return progress
  }
}
