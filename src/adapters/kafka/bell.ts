/** Wakes the one who waits for something to look at; a ring while nobody waits is not kept. */
import type {Clock} from '../../core/ports/index.js'

export class Bell {
  #ring: () => void = () => undefined

  ring(): void {
    this.#ring()
  }

  /** Until it rings, or this long, or until the signal aborts. */
  async wait(clock: Clock, limitMs: number | null, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const enough = new AbortController()
    const end = () => enough.abort()
    this.#ring = end
    signal.addEventListener('abort', end, {once: true})
    try {
      if (limitMs === null) await aborted(enough.signal)
      else await clock.sleep(limitMs, enough.signal).catch(() => undefined)
    } finally {
      signal.removeEventListener('abort', end)
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), {once: true}))
}
