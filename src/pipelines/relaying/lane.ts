/**
 * One partition of an input: its records are transformed and handed to the output one after another, in their order.
 * Several lanes work side by side, as many as may transform at once.
 *
 * Two fetched batches are held at most: the one that is worked on, and one whose last records wait for the output's
 * acknowledgement. What is read again after a crash is therefore never more than these and what came since the last
 * commit, and a slow output slows the reading.
 */
import {abortable, Gauge, isAborted, type Semaphore} from '../../core/flow/index.js'
import type {ConsumedRecord, RecordBatch} from '../../core/ports/index.js'
import {overDone, type PartitionProgress} from '../delivery/partition-progress.js'
import {OpenRecord, type Origin, Settling} from './open-record.js'

const BATCHES_HELD = 2

export interface LaneOptions {
  readonly progress: PartitionProgress
  /** Lanes that may transform at once. */
  readonly turns: Semaphore
  /** Transforms a record and hands over what comes of it; a promise when that takes time. */
  readonly handle: (open: OpenRecord, pause: Pause) => void | Promise<void>
  /** A promise when the output has enough to do for now. */
  readonly whenOutputAllows: () => void | Promise<void>
  readonly onDone: (records: number) => void
  /** The run cannot go on. */
  readonly onFailed: (error: Error) => void
  /** Nothing further is begun when it has aborted. */
  readonly signal: AbortSignal
}

/** Waits, and lets other lanes transform meanwhile. @throws when the lane is to stop */
export type Pause = (wait: (signal: AbortSignal) => Promise<void>) => Promise<void>

export class Lane {
  private readonly held = new Gauge()
  private work: Promise<void> = Promise.resolve()
  /** What comes behind a failure is not even looked at: to have seen it would mean that what lies before is done. */
  private hasFailed = false

  constructor(private readonly options: LaneOptions) {}

  get progress(): PartitionProgress {
    return this.options.progress
  }

  /**
   * Resolves when there is room for another batch.
   * @returns where reading should go on instead, behind a long run that is done already; or null
   */
  async take({records, nextOffset, endOffset}: RecordBatch): Promise<number | null> {
    const {progress, signal} = this.options
    progress.endOffset = Math.max(progress.endOffset, endOffset)
    const batch = new HeldBatch(this.options, () => this.held.subtract(1))
    this.held.add(1)
    this.work = this.work.then(() => this.through(batch, records, nextOffset))
    await abortable(this.held.atMost(BATCHES_HELD - 1), signal).catch(() => undefined)
    return overDone(progress, nextOffset)
  }

  /** When all that was taken is done, or the epoch is over. */
  async settled(): Promise<void> {
    await abortable(this.held.atMost(0), this.options.signal).catch(() => undefined)
  }

  /** When nothing is being transformed any more. */
  async idle(): Promise<void> {
    await this.work
  }

  /** Never rejects. */
  private async through(batch: HeldBatch, records: readonly ConsumedRecord[], nextOffset: number) {
    const {progress, signal, onFailed} = this.options
    if (this.hasFailed || isAborted(signal)) return
    const turn = new Turn(this.options.turns, signal)
    try {
      await turn.begin()
      if (!(await this.each(batch, records, turn))) return
      progress.ledger.passTo(nextOffset)
      progress.readPosition = Math.max(progress.readPosition, nextOffset)
      batch.handedOver()
    } catch (thrown) {
      this.hasFailed = true
      if (!isAborted(signal)) onFailed(thrown instanceof Error ? thrown : new Error(String(thrown)))
    } finally {
      turn.end()
    }
  }

  /** @returns false when it was stopped on the way */
  private async each(batch: HeldBatch, records: readonly ConsumedRecord[], turn: Turn): Promise<boolean> {
    const {progress, signal, handle, whenOutputAllows} = this.options
    const settling = new Settling()
    try {
      for (const record of records) {
        if (isAborted(signal)) break
        if (record.offset < progress.readPosition) continue
        if (progress.ledger.see(record.offset)) {
          const open = batch.open(record)
          const handled = handle(open, turn.pause)
          if (handled !== undefined) await handled
          if (open.gotOne()) settling.add(open)
          const allowed = whenOutputAllows()
          if (allowed !== undefined) {
            settling.flush()
            await allowed
          }
        }
        progress.readPosition = record.offset + 1
      }
    } finally {
      settling.flush()
    }
    return !isAborted(signal)
  }
}

/** A fetched batch, until all of its records are done. */
class HeldBatch implements Origin {
  private openRecords = 0
  private isHandedOver = false

  constructor(
    private readonly options: LaneOptions,
    private readonly onClosed: () => void,
  ) {}

  open(record: ConsumedRecord): OpenRecord {
    this.openRecords += 1
    return new OpenRecord(record, this)
  }

  settled(start: number, end: number, records: number): void {
    this.options.progress.ledger.markDone([{start, end}])
    this.openRecords -= records
    this.options.onDone(records)
    this.closeWhenDone()
  }

  handedOver(): void {
    this.isHandedOver = true
    this.closeWhenDone()
  }

  private closeWhenDone(): void {
    if (this.isHandedOver && this.openRecords === 0) this.onClosed()
  }
}

/** A lane's place among those that transform. */
class Turn {
  private release: () => void = () => undefined

  constructor(
    private readonly turns: Semaphore,
    private readonly signal: AbortSignal,
  ) {}

  async begin(): Promise<void> {
    this.release = await this.turns.acquire(1, this.signal)
  }

  end(): void {
    this.release()
  }

  readonly pause: Pause = async (wait) => {
    this.end()
    await wait(this.signal)
    await this.begin()
  }
}
