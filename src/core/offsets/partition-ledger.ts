/** What is open and done in one partition. */
import {IntervalSet, type Run} from './interval-set.js'

export class PartitionLedger {
  /** Everything below is done; this offset itself is open, or not yet read. */
  private safe: number
  private next: number
  /** Done runs, all of them above `safe`. May reach beyond `next`: the predecessor had read further. */
  private readonly done: IntervalSet

  /**
   * @param safeOffset the committed offset
   * @param doneAbove runs that a predecessor had done above it
   */
  constructor(safeOffset: number, doneAbove: Iterable<Run> = []) {
    this.safe = safeOffset
    this.next = safeOffset
    this.done = IntervalSet.of(doneAbove)
    this.advanceSafe()
  }

  /** The lowest open offset, else the next to be read. */
  get safeOffset(): number {
    return this.safe
  }

  /** The next offset that has not been seen. */
  get position(): number {
    return this.next
  }

  /** Number of offsets done above the safe one: what would be delivered again if the map were lost. */
  get doneAbove(): number {
    return this.done.size
  }

  isDone(offset: number): boolean {
    return offset < this.safe || this.done.has(offset)
  }

  /** Where reading should go on instead of at the offset: behind the done run that holds it. */
  afterDone(offset: number): number {
    return this.done.runAt(Math.max(offset, this.safe))?.end ?? Math.max(offset, this.safe)
  }

  /**
   * A record was read. Offsets skipped since the last one hold no record that anyone may see and are done.
   * @returns false when it is done already
   */
  see(offset: number): boolean {
    if (offset >= this.next) {
      this.passTo(offset)
      this.next = offset + 1
    }
    return !this.isDone(offset)
  }

  /** The position moved, over records or over nothing. */
  passTo(nextOffset: number): void {
    if (nextOffset <= this.next) return
    this.done.addRun(this.next, nextOffset)
    this.next = nextOffset
    this.advanceSafe()
  }

  /**
   * What is below was trimmed from the topic: it can never be read, so it is written off.
   * @param except was read before, and is not lost as long as whoever has it goes on
   * @returns what was written off: offsets that were not done
   */
  writeOffBelow(offset: number, except: IntervalSet = new IntervalSet()): IntervalSet {
    const lost = new IntervalSet()
    for (const open of this.done.gaps(this.safe, offset))
      for (const {start, end} of except.gaps(open.start, open.end)) lost.addRun(start, end)
    this.next = Math.max(this.next, offset)
    this.markDone(lost.runs())
    return lost
  }

  markDone(runs: Iterable<Run>): void {
    for (const {start, end} of runs) this.done.addRun(Math.max(start, this.safe), end)
    this.advanceSafe()
  }

  doneRuns(): Run[] {
    return [...this.done.runs()]
  }

  private advanceSafe(): void {
    this.safe = this.done.runAt(this.safe)?.end ?? this.safe
    this.done.removeBelow(this.safe)
    this.next = Math.max(this.next, this.safe)
  }
}
