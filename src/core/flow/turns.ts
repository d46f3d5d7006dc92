/** One at a time per key, in the order of asking; keys do not wait for each other. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>()

  /** How many keys somebody has, or waits for, a turn of. */
  get size(): number {
    return this.last.size
  }

  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(key) ?? Promise.resolve()
    const turn = before.then(work)
    const over = turn.catch(() => undefined)
    this.last.set(key, over)
    try {
      return await turn
    } finally {
      if (this.last.get(key) === over) this.last.delete(key)
    }
  }
}
