/** A set of integers kept as disjoint, ascending runs; adding one is O(log n) to find and O(n) at worst to insert. */

/** `start <= x < end` */
export interface Run {
  readonly start: number
  readonly end: number
}

export class IntervalSet {
  private readonly starts: number[] = []
  private readonly ends: number[] = []

  static of(runs: Iterable<Run>): IntervalSet {
    const set = new IntervalSet()
    for (const {start, end} of runs) set.addRun(start, end)
    return set
  }

  /** How many integers are in the set. */
  get size(): number {
    let size = 0
    for (const {start, end} of this.runs()) size += end - start
    return size
  }

  has(value: number): boolean {
    return this.runAt(value) !== null
  }

  /** The run that holds the value. */
  runAt(value: number): Run | null {
    const i = this.firstEndingAfter(value)
    const start = this.starts[i]
    const end = this.ends[i]
    return start !== undefined && end !== undefined && start <= value ? {start, end} : null
  }

  /** @returns false when it was there already */
  add(value: number): boolean {
    if (this.has(value)) return false
    this.addRun(value, value + 1)
    return true
  }

  addRun(start: number, end: number): void {
    if (start >= end) return
    // Every run that overlaps [start, end) or touches it is merged into it.
    const first = this.firstEndingAfter(start - 1)
    let last = first
    let mergedStart = start
    let mergedEnd = end
    for (;;) {
      const runStart = this.starts[last]
      const runEnd = this.ends[last]
      if (runStart === undefined || runEnd === undefined || runStart > end) break
      mergedStart = Math.min(mergedStart, runStart)
      mergedEnd = Math.max(mergedEnd, runEnd)
      last += 1
    }
    this.starts.splice(first, last - first, mergedStart)
    this.ends.splice(first, last - first, mergedEnd)
  }

  removeBelow(value: number): void {
    const keep = this.firstEndingAfter(value)
    this.starts.splice(0, keep)
    this.ends.splice(0, keep)
    const start = this.starts[0]
    if (start !== undefined && start < value) this.starts[0] = value
  }

  *runs(): Generator<Run> {
    for (let i = 0; i < this.starts.length; i++) {
      const start = this.starts[i]
      const end = this.ends[i]
      if (start !== undefined && end !== undefined) yield {start, end}
    }
  }

  /** The integers of [from, to) that are not in the set, as runs. */
  *gaps(from: number, to: number): Generator<Run> {
    let next = from
    for (let i = this.firstEndingAfter(from); next < to; i++) {
      const start = Math.min(this.starts[i] ?? to, to)
      if (start > next) yield {start: next, end: start}
      next = Math.max(next, this.ends[i] ?? to)
    }
  }

  *values(): Generator<number> {
    for (const {start, end} of this.runs()) for (let value = start; value < end; value++) yield value
  }

  /** Index of the first run whose end lies after the value. */
  private firstEndingAfter(value: number): number {
    const ends = this.ends
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const end = ends[middle]
      if (end !== undefined && end <= value) low = middle + 1
      else high = middle
    }
    return low
  }
}
