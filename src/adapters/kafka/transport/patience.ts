/** Trying again: exponential back-off with jitter, for a limited time, stopping at once when told to. */
import {type BackOff, pauseAfter, spread} from '../../../core/flow/index.js'
import type {Clock} from '../../../core/ports/index.js'

const BACK_OFF: BackOff = {initialMs: 100, maxMs: 5_000}
/** More or less of a wait. */
const SPREAD = 0.2

export interface Patience {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /**
   * How long failures of this kind are put up with; 0 ends it at once. Each limit counts from the first failure
   * that had it, so that a short one is not used up by a long outage of another kind before it.
   */
  readonly limitMs: (error: unknown) => number
  /** Called before each wait. */
  readonly onRetry?: (error: unknown) => void
}

/** @throws what the last attempt threw, or the signal's reason */
export async function patiently<T>(attempt: () => Promise<T>, patience: Patience): Promise<T> {
  const {clock, signal} = patience
  const failingSinceMs = new Map<number, number>()
  for (let failures = 1; ; failures++) {
    signal?.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      signal?.throwIfAborted()
      const limitMs = patience.limitMs(error)
      const sinceMs = failingSinceMs.get(limitMs) ?? clock.nowMs()
      failingSinceMs.set(limitMs, sinceMs)
      const leftMs = sinceMs + limitMs - clock.nowMs()
      if (leftMs <= 0) throw error
      patience.onRetry?.(error)
      await clock.sleep(Math.min(leftMs, spread(pauseAfter(failures, BACK_OFF), SPREAD, Math.random)), signal)
    }
  }
}

/** Leaves the shared work alone when one of those who wait for it gives up. */
export function abortable<T>(shared: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return shared
  return new Promise<T>((resolve, reject) => {
    const aborted = () => reject(signal.reason as Error)
    if (signal.aborted) aborted()
    signal.addEventListener('abort', aborted, {once: true})
    shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted))
  })
}
