/**
 * SIGTERM and SIGINT as an AbortSignal. The first asks for a good end: stop reading, finish or discard, commit. A
 * second one, or the end of the patience, exits at once with 130.
 *
 *     stop    files that are being finished    clearing up    leaving the group    patience ends
 *     |----------------------------------------|--------------|--------------------|
 *                                          drainMs        clearUpMs        shutdownTimeoutMs
 */
import {ExitCode, StreamtoolError} from '../core/errors.js'

export interface Stopping {
  readonly signal: AbortSignal
  /** Aborted when clearing up has had its time: what is left is left to the next start. */
  readonly deadline: AbortSignal
  /** Asks for the same good end from within, e.g. because nobody reads our output any more. */
  stop(reason: string): void
  dispose(): void
}

export interface StoppingOptions {
  readonly shutdownTimeoutMs: number
  /** Something to tell the user while it stops. */
  readonly say: (message: string) => void
  readonly exit?: (code: number) => void
}

/** Of the time that a stop may take: for the last commit, clearing up, and leaving the group. */
const LEAVING_MS = 5_000

/** When the steps of a stop have to be over; what is short is divided evenly. */
export function stopTimes(shutdownTimeoutMs: number): {drainMs: number; clearUpMs: number} {
  const leavingMs = Math.min(LEAVING_MS, shutdownTimeoutMs / 2)
  return {drainMs: shutdownTimeoutMs - leavingMs, clearUpMs: shutdownTimeoutMs - leavingMs / 2}
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export function stopOnSignals({shutdownTimeoutMs, say, exit = exitProcess}: StoppingOptions): Stopping {
  const controller = new AbortController()
  const deadline = new AbortController()
  const timers: NodeJS.Timeout[] = []
  /** A process that has nothing left to do need not wait for it. */
  const after = (ms: number, act: () => void): void => void timers.push(setTimeout(act, ms).unref())

  const stop = (reason: string) => {
    if (controller.signal.aborted) return
    after(stopTimes(shutdownTimeoutMs).clearUpMs, () =>
      deadline.abort(new StreamtoolError('INTERRUPTED', 'There was no time left to clear up.')),
    )
    after(shutdownTimeoutMs, () => {
      say(
        `Not stopped within --shutdown-timeout: exiting. What was not finished will be done at the next start.`,
      )
      exit(ExitCode.interrupted)
    })
    controller.abort(new StreamtoolError('INTERRUPTED', `Stopped: ${reason}.`, {facts: {reason}}))
  }
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      exit(ExitCode.interrupted)
      return
    }
    say(`${name}: stopping; once more exits at once.`)
    stop(name)
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  return {
    signal: controller.signal,
    deadline: deadline.signal,
    stop,
    dispose: () => {
      for (const timer of timers) clearTimeout(timer)
      for (const name of SIGNALS) process.off(name, onSignal)
    },
  }
}

function exitProcess(code: number): void {
  process.exit(code)
}
