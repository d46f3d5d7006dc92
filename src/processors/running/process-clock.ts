/** The time of this process, where a plugin runs without the rest of streamtool around it. */
import {setTimeout as delay} from 'node:timers/promises'
import type {Clock} from '../../core/ports/index.js'

export const processClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : {signal})
  },
}
