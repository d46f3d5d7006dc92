/** A full disk is waited out: whatever is written stops, says so once, and goes on by itself. */
import {StreamtoolError} from '../../core/errors.js'
import type {Clock, Logger} from '../../core/ports/index.js'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

/**
 * Runs the work, again and again while it fails with STORAGE_FULL, until the signal aborts: asked for only when
 * there is something to wait for.
 */
export type WhenSpaceAllows = <T>(work: () => Promise<T>, signal: () => AbortSignal) => Promise<T>

export function waitOutFullDisk(root: string, clock: Clock, logger: Logger): WhenSpaceAllows {
  let waiting = 0

  const begin = (error: StreamtoolError): void => {
    waiting += 1
    if (waiting === 1) logger.warn(`${error.message} Waiting for space.`, {code: error.code, directory: root})
  }
  const end = (succeeded: boolean): void => {
    waiting -= 1
    if (waiting === 0 && succeeded)
      logger.info(`There is space again in ${root}: going on.`, {directory: root})
  }

  const retry = async <T>(
    work: () => Promise<T>,
    signal: AbortSignal,
    failure: StreamtoolError,
  ): Promise<T> => {
    let succeeded = false
    begin(failure)
    try {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
        await clock.sleep(pauseMs, signal)
        try {
          const result = await work()
          succeeded = true
          return result
        } catch (thrown) {
          if (!isFull(thrown)) throw thrown
        }
      }
    } finally {
      end(succeeded)
    }
  }

  return (work, signal) =>
    work().catch((thrown: unknown) => {
      if (!isFull(thrown)) throw thrown
      return retry(work, signal(), thrown)
    })
}

function isFull(thrown: unknown): thrown is StreamtoolError {
  return thrown instanceof StreamtoolError && thrown.code === 'STORAGE_FULL'
}
