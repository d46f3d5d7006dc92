import {WaitingLine} from './waiting-line.js'

/**
 * How many requests may be under way, found out by trying: additive increase, multiplicative decrease, as TCP does.
 *
 *     told to slow down  -> half as many, once for all the requests that were under way together
 *     as many successes in a row as there may be requests  -> one more, up to the most that is wanted
 */
export class AdaptiveLimit {
  private limit: number
  private underWay = 0
  private successes = 0
  /** Requests that began before the last decrease say nothing about what came of it. */
  private era = 0
  private readonly line = new WaitingLine(() => {
    if (this.underWay >= this.limit) return false
    this.underWay += 1
    return true
  })

  constructor(readonly most: number) {
    this.limit = most
  }

  get current(): number {
    return this.limit
  }

  get inUse(): number {
    return this.underWay
  }

  /**
   * Waits for a place, first come, first served, and holds it while the work goes on.
   * @param saysSlowDown tells from what the work threw whether there were too many
   */
  async run<T>(
    work: () => Promise<T>,
    saysSlowDown: (thrown: unknown) => boolean,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted()
    if (!this.line.passes(undefined)) await this.line.wait(undefined, signal)
    const {era} = this
    try {
      const result = await work()
      this.succeeded()
      return result
    } catch (thrown) {
      if (saysSlowDown(thrown)) this.slowDown(era)
      throw thrown
    } finally {
      this.underWay -= 1
      this.line.admit()
    }
  }

  private succeeded(): void {
    if (this.limit >= this.most) return
    this.successes += 1
    if (this.successes < this.limit) return
    this.successes = 0
    this.limit += 1
  }

  private slowDown(era: number): void {
    if (era !== this.era) return
    this.era += 1
    this.successes = 0
    this.limit = Math.max(1, Math.floor(this.limit / 2))
  }
}
