/**
 * Commits what the ledgers of one epoch say: every few seconds, after so many files done, and when told to
 * flush. One commit is in flight at a time; a failed one is forgotten and the next is built from the ledgers as
 * they are then.
 */
import {isAborted} from '../flow/abort.js'
import {asStreamtoolError, type StreamtoolError} from '../errors.js'
import type {Clock, CommittedOffset, Epoch, StepObserver} from '../ports/index.js'
import {encodeCommitMetadata} from './commit-metadata.js'
import type {PartitionLedger} from './partition-ledger.js'

/** The epoch's partitions and where their ledgers stand. */
export interface CommitTarget {
  readonly topic: string
  readonly clusterId: string
  readonly epoch: Epoch
  /** Asked at every commit: a partition that was truncated begins a new one. */
  readonly ledgers: () => Iterable<readonly [partition: number, ledger: PartitionLedger]>
}

export interface CommittedPartition extends CommittedOffset {
  readonly doneAbove: number
  readonly droppedOffsets: number
}

export interface CommitManagerOptions {
  readonly intervalMs: number
  /** Commit early when so many files were done since the last commit. */
  readonly files: number
  readonly clock: Clock
  readonly steps: StepObserver
  readonly onCommitted: (partitions: readonly CommittedPartition[]) => void
  /** A commit that failed while its epoch goes on; it will be built anew. */
  readonly onFailed: (error: StreamtoolError) => void
}

export class CommitManager {
  private readonly lastWritten = new Map<number, {readonly offset: number; readonly metadata: string}>()
  private doneSince = 0
  private inFlight: Promise<void> = Promise.resolve()
  private readonly stopped = new AbortController()
  private running: Promise<void> | null = null

  /** @param lastKnown what is committed when the epoch begins */
  constructor(
    private readonly target: CommitTarget,
    private readonly options: CommitManagerOptions,
    lastKnown: readonly CommittedOffset[] = [],
  ) {
    for (const {partition, offset, metadata} of lastKnown) this.lastWritten.set(partition, {offset, metadata})
  }

  start(): void {
    this.running ??= this.commitRegularly()
  }

  fileDone(): void {
    this.done(1)
  }

  /** So many files, or records, are done. */
  done(count: number): void {
    const wasDue = this.doneSince >= this.options.files
    this.doneSince += count
    if (!wasDue && this.doneSince >= this.options.files) void this.commit()
  }

  /** What this epoch's last accepted commit said of the partition. */
  written(partition: number): {readonly offset: number; readonly metadata: string} | null {
    return this.lastWritten.get(partition) ?? null
  }

  /** Waits for the commit in flight, then commits what is new. Never rejects: failures go to `onFailed`. */
  async commit(): Promise<void> {
    const turn = this.inFlight.then(() => this.commitOnce())
    this.inFlight = turn
    await turn
  }

  /** No further commit is begun; the last one in flight is awaited. */
  async stop(): Promise<void> {
    this.stopped.abort()
    await this.running
    await this.inFlight
  }

  private async commitRegularly(): Promise<void> {
    const {clock, intervalMs} = this.options
    const {signal} = this.stopped
    while (!isAborted(signal)) {
      await clock.sleep(intervalMs, signal).catch(() => undefined)
      if (!isAborted(signal)) await this.commit()
    }
  }

  private async commitOnce(): Promise<void> {
    const {epoch} = this.target
    if (isAborted(epoch.signal)) return
    const changed = this.changedPartitions()
    this.doneSince = 0
    if (changed.length === 0) return
    this.options.steps.reached('before-commit')
    try {
      await epoch.commit(changed)
    } catch (thrown) {
      if (!isAborted(epoch.signal)) this.options.onFailed(asStreamtoolError(thrown))
      return
    }
    this.options.steps.reached('after-commit')
    for (const {partition, offset, metadata} of changed) this.lastWritten.set(partition, {offset, metadata})
    this.options.onCommitted(changed)
  }

  private changedPartitions(): CommittedPartition[] {
    const {topic, clusterId, ledgers} = this.target
    const changed: CommittedPartition[] = []
    for (const [partition, ledger] of ledgers()) {
      const offset = ledger.safeOffset
      const {metadata, droppedOffsets} = encodeCommitMetadata(
        {clusterId, topic, partition, base: offset},
        ledger.doneRuns(),
      )
      const last = this.lastWritten.get(partition)
      if (last?.offset === offset && last.metadata === metadata) continue
      changed.push({topic, partition, offset, metadata, doneAbove: ledger.doneAbove, droppedOffsets})
    }
    return changed
  }
}
