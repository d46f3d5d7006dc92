/** The machine's clock and timers. */
import {setTimeout as delay} from 'node:timers/promises'
import type {Clock} from '../../core/ports/index.js'

export const systemClock: Clock = {
  nowMs: () => Date.now(),

  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : {signal})
    } catch (thrown) {
      signal?.throwIfAborted()
      throw thrown
    }
  },
}
