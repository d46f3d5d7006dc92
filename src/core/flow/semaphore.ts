import {WaitingLine} from './waiting-line.js'

/** A bound on something countable: calls, requests, or bytes. First come, first served. */
export class Semaphore {
  private taken = 0
  private readonly line = new WaitingLine<number>((amount) => {
    if (this.taken + amount > this.capacity) return false
    this.taken += amount
    return true
  })

  constructor(readonly capacity: number) {}

  get inUse(): number {
    return this.taken
  }

  /**
   * Resolves when the amount is free and now taken. More than the capacity counts as all of it, so that one
   * large item passes alone instead of waiting for ever.
   * @returns gives the amount back; further calls do nothing
   */
  async acquire(amount = 1, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted()
    const wanted = Math.min(amount, this.capacity)
    if (!this.line.passes(wanted)) await this.line.wait(wanted, signal)
    let released = false
    return () => {
      if (released) return
      released = true
      this.taken -= wanted
      this.line.admit()
    }
  }

  async run<T>(work: () => Promise<T>, amount = 1, signal?: AbortSignal): Promise<T> {
    const release = await this.acquire(amount, signal)
    try {
      return await work()
    } finally {
      release()
    }
  }
}
