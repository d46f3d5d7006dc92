/**
 * Trouble with the storage that can pass is waited out: a full disk or quota, a directory that vanished with its mount,
 * a file system that became read-only or does not answer well. Whatever writes stops, says so once, tries again ever
 * less often, and goes on by itself.
 *
 * What fails for one file alone does not pass by waiting. So a failure counts as trouble only when the disk is full,
 * or when the storage as a whole, examined, turns out not to be in order.
 */
import {type ErrorCode, StreamtoolError} from '../../core/errors.js'
import type {Clock, Logger} from '../../core/ports/index.js'
import {coalesce} from './coalesced-sync.js'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000
const STORAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  'STORAGE_FULL',
  'STORAGE_FORBIDDEN',
  'STORAGE_FAILED',
  'STORAGE_GONE',
  // A part of the path is a file: perhaps where the storage was.
  'FILE_NAME_CONFLICT',
])

/**
 * Runs the work, again and again while the storage is in trouble, until the signal aborts: asked for only when there
 * is something to wait for. The work must be safe to repeat.
 */
export type WhenStorageAllows = <T>(work: () => Promise<T>, signal: () => AbortSignal) => Promise<T>

export interface StorageWatch {
  /** As the user knows it. */
  readonly directory: string
  /** Resolves when the storage is in order. @throws StreamtoolError: what is the matter */
  readonly examine: () => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

export function waitOutOutages({directory, examine, clock, logger}: StorageWatch): WhenStorageAllows {
  const examineOnce = coalesce(examine)
  let waiting = 0
  /** Whoever gets through wakes the others. */
  let passed = new AbortController()

  const troubleOf = async (thrown: unknown): Promise<StreamtoolError | null> => {
    if (!isStorageError(thrown)) return null
    if (thrown.code === 'STORAGE_FULL') return thrown
    try {
      await examineOnce()
      return null
    } catch (found) {
      return found instanceof StreamtoolError ? found : thrown
    }
  }

  /** @throws what fails alone: it failed again after the storage was found in order */
  const judge = async <T>(work: () => Promise<T>, thrown: unknown): Promise<Verdict<T>> => {
    const trouble = await troubleOf(thrown)
    if (trouble !== null) return {trouble}
    if (!isStorageError(thrown)) throw thrown
    try {
      // An outage may have ended between the failure and the look.
      return {result: await work()}
    } catch (again) {
      const found = await troubleOf(again)
      if (found === null) throw again
      return {trouble: found}
    }
  }

  const begin = (trouble: StreamtoolError): void => {
    waiting += 1
    if (waiting > 1) return
    logger.warn(`${trouble.message} Waiting until that is over; nothing is lost meanwhile.`, {
      code: trouble.code,
      directory,
    })
  }

  const end = (isOver: boolean): void => {
    waiting -= 1
    if (!isOver) return
    passed.abort()
    passed = new AbortController()
    if (waiting === 0) logger.info(`${directory} can be written to again: going on.`, {directory})
  }

  const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
    const woken = passed.signal
    await clock.sleep(ms, AbortSignal.any([signal, woken])).catch((thrown: unknown) => {
      if (signal.aborted || !woken.aborted) throw thrown
    })
    signal.throwIfAborted()
  }

  const retry = async <T>(
    work: () => Promise<T>,
    signal: AbortSignal,
    trouble: StreamtoolError,
  ): Promise<T> => {
    let isOver = false
    begin(trouble)
    try {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
        await pause(pauseMs, signal)
        const verdict = await work().then(
          (result) => ({result}),
          (thrown: unknown) => judge(work, thrown),
        )
        if ('trouble' in verdict) continue
        isOver = true
        return verdict.result
      }
    } catch (thrown) {
      // It fails alone now; anything else is the end of waiting, not of the outage.
      isOver = isStorageError(thrown)
      throw thrown
    } finally {
      end(isOver)
    }
  }

  return (work, signal) =>
    work().catch(async (thrown: unknown) => {
      const verdict = await judge(work, thrown)
      return 'trouble' in verdict ? retry(work, signal(), verdict.trouble) : verdict.result
    })
}

type Verdict<T> = {readonly result: T} | {readonly trouble: StreamtoolError}

function isStorageError(thrown: unknown): thrown is StreamtoolError {
  return thrown instanceof StreamtoolError && STORAGE_CODES.has(thrown.code)
}
