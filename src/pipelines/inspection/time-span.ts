/** The earliest and the latest of some times, as records tell them. */
export class TimeSpan {
  private firstMs = Infinity
  private lastMs = -Infinity

  /** @param timeMs -1 when it is not known */
  add(timeMs: number): void {
    if (timeMs < 0) return
    this.firstMs = Math.min(this.firstMs, timeMs)
    this.lastMs = Math.max(this.lastMs, timeMs)
  }

  /** ISO 8601, UTC. */
  get first(): string | null {
    return isoTime(this.firstMs)
  }

  get last(): string | null {
    return isoTime(this.lastMs)
  }
}

/** Null for what is no date: a producer may write any number. */
function isoTime(timeMs: number): string | null {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}
