/** A full disk is waited out: whatever is written stops, says so once, and goes on by itself. */
import {StreamtoolError} from '../../core/errors.js'
import type {Clock, Logger} from '../../core/ports.js'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

/**
 * Runs the work, again and again while it fails with STORAGE_FULL, until the signal aborts: asked for only when
 * there is something to wait for.
 */
export type WhenSpaceAllows = <T>(work: () => Promise<T>, signal: () => AbortSignal) => Promise<T>

export function waitOutFullDisk(root: string, clock: Clock, logger: Logger): WhenSpaceAllows {
  let waiting = 0

  const began = (error: StreamtoolError): void => {
    waiting += 1
    if (waiting === 1) logger.warn(`${error.message} Waiting for space.`, {code: error.code, directory: root})
  }
  const ended = (succeeded: boolean): void => {
    waiting -= 1
    if (waiting === 0 && succeeded)
      logger.info(`There is space again in ${root}: going on.`, {directory: root})
  }

  return async (work, signal) => {
    let isWaiting = false
    let succeeded = false
    try {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
        try {
          const result = await work()
          succeeded = true
          return result
        } catch (thrown) {
          if (!(thrown instanceof StreamtoolError) || thrown.code !== 'STORAGE_FULL') throw thrown
          if (!isWaiting) began(thrown)
          isWaiting = true
        }
        await clock.sleep(pauseMs, signal())
      }
    } finally {
      if (isWaiting) ended(succeeded)
    }
  }
}
