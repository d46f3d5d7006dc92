import {systemClock} from '../../../src/adapters/system/clock.js'
import type {Clock} from '../../../src/core/ports/index.js'

/** What is waited for takes so many times less than it would. */
export function hastyClock(times: number): Clock {
  return {
    nowMs: () => systemClock.nowMs(),
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
  }
}

/** All time passes so many times faster. */
export function fastClock(times: number): Clock {
  const startMs = systemClock.nowMs()
  return {
    nowMs: () => startMs + (systemClock.nowMs() - startMs) * times,
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
  }
}
