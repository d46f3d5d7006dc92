import type {Clock} from '../ports/index.js'

/**
 * Waits for the work, but no longer than so many milliseconds: what it does later is its own affair.
 * @throws what the work rejects with until then
 */
export async function awaitedWithin(
  limitMs: number,
  work: Promise<unknown>,
  clock: Pick<Clock, 'sleep'>,
): Promise<void> {
  const over = new AbortController()
  const limit = clock.sleep(limitMs, over.signal).catch(() => undefined)
  try {
    await Promise.race([work, limit])
  } finally {
    over.abort()
  }
}
