/** Trying again: exponential back-off with jitter, for a limited time, stopping at once when told to. */
import {setTimeout as delay} from 'node:timers/promises'
import type {Clock} from '../../../core/ports.js'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000
const JITTER = 0.2

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal === undefined ? {} : {signal})
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error
    }
  },
}

export interface Patience {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /** How long it may fail, from the first failure on. Asked after each failure. */
  readonly limitMs: (error: unknown) => number
  /** Called before each wait. */
  readonly onRetry?: (error: unknown, attempt: number) => void
}

/** @throws what the last attempt threw, or the signal's reason */
export async function patiently<T>(attempt: () => Promise<T>, patience: Patience): Promise<T> {
  let failingSinceMs: number | null = null
  for (let failures = 1; ; failures++) {
    patience.signal?.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      patience.signal?.throwIfAborted()
      failingSinceMs ??= patience.clock.nowMs()
      const leftMs = failingSinceMs + patience.limitMs(error) - patience.clock.nowMs()
      if (leftMs <= 0) throw error
      patience.onRetry?.(error, failures)
      await patience.clock.sleep(Math.min(leftMs, waitMs(failures)), patience.signal)
    }
  }
}

function waitMs(failures: number): number {
  const exact = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1))
  return exact * (1 - JITTER + 2 * JITTER * Math.random())
}
