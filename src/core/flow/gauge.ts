/** A running total that can be awaited to fall: what is under way, in files and in bytes. */
export class Gauge {
  private total = 0
  private waiters: {limit: number; resolve: () => void}[] = []

  get value(): number {
    return this.total
  }

  add(amount: number): void {
    this.total += amount
  }

  subtract(amount: number): void {
    this.total -= amount
    if (this.waiters.length === 0) return
    const released = this.waiters.filter(({limit}) => this.total <= limit)
    if (released.length === 0) return
    this.waiters = this.waiters.filter(({limit}) => this.total > limit)
    for (const {resolve} of released) resolve()
  }

  /** Resolves once the total is at or below the limit. */
  async atMost(limit: number): Promise<void> {
    while (this.total > limit) {
      await new Promise<void>((resolve) => this.waiters.push({limit, resolve}))
    }
  }
}
