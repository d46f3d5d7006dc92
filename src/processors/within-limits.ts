/** One attempt: it ends in time, whatever the processor does. */
import {StreamtoolError} from '../core/errors.js'
import type {Clock} from '../core/ports/index.js'

/** So long a host that was told to stop an attempt may take to do so; then nobody listens to it any more. */
const GRACE_MS = 10_000

export interface AttemptLimits {
  /** Null: as long as it takes. */
  readonly timeoutMs: number | null
  /** Ends it, with its reason. */
  readonly stop: AbortSignal
  readonly clock: Clock
}

/**
 * @param work is given the signal that it is to heed; once it has been told to stop, its failure is the signal's reason
 * @throws PROCESSING_TIMED_OUT, the reason of `stop`, or what the work throws
 */
export async function withinLimits<T>(
  path: string,
  work: (signal: AbortSignal) => Promise<T>,
  {timeoutMs, stop, clock}: AttemptLimits,
): Promise<T> {
  stop.throwIfAborted()
  const told = new AbortController()
  const over = new AbortController()
  const onStop = (): void => told.abort(stop.reason)
  stop.addEventListener('abort', onStop, {once: true})
  if (timeoutMs !== null)
    void later(clock, timeoutMs, over.signal, () => told.abort(timedOut(path, timeoutMs)))
  const abandoned = new Promise<never>((_, reject) => {
    told.signal.addEventListener(
      'abort',
      () => void later(clock, GRACE_MS, over.signal, () => reject(told.signal.reason as Error)),
      {once: true},
    )
  })
  const working = work(told.signal)
  // After it was abandoned nobody waits for it.
  working.catch(() => undefined)
  try {
    return await Promise.race([working, abandoned])
  } catch (thrown) {
    told.signal.throwIfAborted()
    throw thrown
  } finally {
    over.abort()
    stop.removeEventListener('abort', onStop)
  }
}

async function later(clock: Clock, ms: number, over: AbortSignal, act: () => void): Promise<void> {
  try {
    await clock.sleep(ms, over)
  } catch {
    return
  }
  act()
}

function timedOut(path: string, timeoutMs: number): StreamtoolError {
  return new StreamtoolError(
    'PROCESSING_TIMED_OUT',
    `Processing ${path} took longer than ${timeoutMs / 1000} s and was given up.`,
    {facts: {path, timeoutMs}, suggestions: ['Allow more with --timeout, or look at what it waits for.']},
  )
}
