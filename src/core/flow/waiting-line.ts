/** Those who wait until there is room for them: first come, first served, until their signal aborts. */
export class WaitingLine<Wish = undefined> {
  private readonly waiters: {readonly wish: Wish; admit(): void}[] = []

  /** @param take takes the room when there is enough of it, and says so */
  constructor(private readonly take: (wish: Wish) => boolean) {}

  /** Goes in without waiting, if nobody else waits and there is room. */
  passes(wish: Wish): boolean {
    return this.waiters.length === 0 && this.take(wish)
  }

  /** Resolves when the room is taken. @throws the signal's reason */
  async wait(wish: Wish, signal?: AbortSignal): Promise<void> {
    let onAbort: () => void = () => undefined
    try {
      await new Promise<void>((admit, drop) => {
        const waiter = {wish, admit}
        this.waiters.push(waiter)
        onAbort = () => {
          const place = this.waiters.indexOf(waiter)
          // Admitted in this very turn: it has what it waited for.
          if (place < 0) return
          this.waiters.splice(place, 1)
          drop(signal?.reason as Error)
          // The one that left may have been the large one that held up the rest.
          this.admit()
        }
        signal?.addEventListener('abort', onAbort, {once: true})
      })
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** To be called when there is more room than before. */
  admit(): void {
    for (let first = this.waiters[0]; first && this.take(first.wish); first = this.waiters[0]) {
      this.waiters.shift()
      first.admit()
    }
  }
}
