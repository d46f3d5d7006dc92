import {setTimeout as delay} from 'node:timers/promises'
import type {Clock} from '../../../../src/core/ports/index.js'

/** Time goes by as the test says. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000
  readonly #sleepers = new Set<{untilMs: number; wake: () => void}>()

  nowMs(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    return new Promise((resolve, reject) => {
      const sleeper = {untilMs: this.#nowMs + ms, wake: resolve}
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper)
        reject(signal.reason as Error)
      })
    })
  }

  /** As when the process was stopped, or the machine slept: nobody is woken meanwhile. */
  jump(ms: number): void {
    this.#nowMs += ms
  }

  /** Wakes whoever is due, one after another, and lets each do what it does. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      await settle()
      const [next] = [...this.#sleepers].sort((a, b) => a.untilMs - b.untilMs)
      if (next === undefined || next.untilMs > endMs) break
      this.#nowMs = Math.max(this.#nowMs, next.untilMs)
      this.#sleepers.delete(next)
      next.wake()
    }
    this.#nowMs = endMs
    await settle()
  }
}

/** Everything that can go on without time has gone on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

const HASTE = 20

/** Real time, twenty times as fast: back-offs need not be waited for. */
export const hastyClock: Clock = {
  nowMs: () => performance.now() * HASTE,
  sleep: async (ms, signal) => {
    await delay(ms / HASTE, undefined, signal === undefined ? {} : {signal})
  },
}
