/** A bound on something countable: calls, requests, or bytes. First come, first served. */
export class Semaphore {
  private taken = 0
  private readonly queue: {amount: number; admit: () => void; drop: (reason: Error) => void}[] = []

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
    if (this.queue.length > 0 || this.taken + wanted > this.capacity) await this.wait(wanted, signal)
    else this.taken += wanted
    let released = false
    return () => {
      if (released) return
      released = true
      this.taken -= wanted
      this.admitNext()
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

  private async wait(amount: number, signal?: AbortSignal): Promise<void> {
    let onAbort: () => void = () => undefined
    try {
      await new Promise<void>((admit, drop) => {
        const waiter = {amount, admit, drop}
        this.queue.push(waiter)
        onAbort = () => {
          const place = this.queue.indexOf(waiter)
          // Admitted in this very turn: it has what it waited for.
          if (place < 0) return
          this.queue.splice(place, 1)
          drop(signal?.reason as Error)
          // The one that left may have been the large one that held up the rest.
          this.admitNext()
        }
        signal?.addEventListener('abort', onAbort, {once: true})
      })
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  private admitNext(): void {
    for (
      let first = this.queue[0];
      first && this.taken + first.amount <= this.capacity;
      first = this.queue[0]
    ) {
      this.queue.shift()
      this.taken += first.amount
      first.admit()
    }
  }
}
