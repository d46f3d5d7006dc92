/**
 * Trouble that can pass is waited out: whatever needs the thing that is in trouble stops, says so once, tries again
 * ever less often, and goes on by itself. Whoever gets through wakes the others.
 *
 * What fails alone does not pass by waiting: `troubleOf` says which failures count.
 */
import type {StreamtoolError} from '../errors.js'
import type {Clock} from '../ports/index.js'
import {type BackOff, pauseAfter} from './back-off.js'

const BACK_OFF: BackOff = {initialMs: 500, maxMs: 10_000}

/**
 * Runs the work, again and again while there is trouble, until the signal aborts: asked for only when there is
 * something to wait for. The work must be safe to repeat.
 */
export type WhenItAllows = <T>(work: () => Promise<T>, signal: () => AbortSignal) => Promise<T>

/** One piece of work that has failed and not succeeded since. */
export interface Failing {
  readonly sinceMs: number
}

export interface OutageWatch {
  /** Whether a failure may be part of an outage at all; what else is thrown ends the work at once. */
  readonly isSuspect: (thrown: unknown) => thrown is StreamtoolError
  /** What is the matter, or null when the work failed alone; may look for itself. */
  readonly troubleOf: (suspect: StreamtoolError, failing: Failing) => Promise<StreamtoolError | null>
  /** The first one waits. */
  readonly onBegin: (trouble: StreamtoolError) => void
  /** Nobody waits any more, since somebody got through. */
  readonly onOver: () => void
  readonly clock: Clock
}

type Verdict<T> = {readonly result: T} | {readonly trouble: StreamtoolError}

export function waitOut({isSuspect, troubleOf, onBegin, onOver, clock}: OutageWatch): WhenItAllows {
  let waiting = 0
  /** Told, and not taken back: also when those who waited were told to stop meanwhile. */
  let isTold = false
  let passed = new AbortController()

  /** @throws what fails alone: it failed again after nothing was found to be the matter */
  const judge = async <T>(work: () => Promise<T>, thrown: unknown, failing: Failing): Promise<Verdict<T>> => {
    if (!isSuspect(thrown)) throw thrown
    const trouble = await troubleOf(thrown, failing)
    if (trouble !== null) return {trouble}
    try {
      // An outage may have ended between the failure and the look.
      return {result: await work()}
    } catch (again) {
      const found = isSuspect(again) ? await troubleOf(again, failing) : null
      if (found === null) throw again
      return {trouble: found}
    }
  }

  const begin = (trouble: StreamtoolError): void => {
    waiting += 1
    if (isTold) return
    isTold = true
    onBegin(trouble)
  }

  const over = (): void => {
    if (!isTold || waiting > 0) return
    isTold = false
    onOver()
  }

  const end = (isOver: boolean): void => {
    waiting -= 1
    if (!isOver) return
    passed.abort()
    passed = new AbortController()
    over()
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
    failing: Failing,
  ): Promise<T> => {
    let isOver = false
    begin(trouble)
    try {
      for (let failures = 1; ; failures += 1) {
        await pause(pauseAfter(failures, BACK_OFF), signal)
        const verdict = await work().then(
          (result) => ({result}),
          (thrown: unknown) => judge(work, thrown, failing),
        )
        if ('trouble' in verdict) continue
        isOver = true
        return verdict.result
      }
    } catch (thrown) {
      // It fails alone now, or has got an answer that it did not like; being told to stop says nothing of the outage.
      isOver = !signal.aborted
      throw thrown
    } finally {
      end(isOver)
    }
  }

  return (work, signal) =>
    work().then(
      (result) => {
        over()
        return result
      },
      async (thrown: unknown) => {
        const failing = {sinceMs: clock.nowMs()}
        const verdict = await judge(work, thrown, failing)
        return 'trouble' in verdict ? retry(work, signal(), verdict.trouble, failing) : verdict.result
      },
    )
}
