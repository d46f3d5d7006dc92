/**
 * SIGTERM and SIGINT as an AbortSignal. The first asks for a good end: stop reading, finish or discard, commit. A
 * second one, or the end of the patience, exits at once with 130.
 */
import {ExitCode, StreamtoolError} from '../core/errors.js'

export interface Stopping {
  readonly signal: AbortSignal
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

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export function stopOnSignals({shutdownTimeoutMs, say, exit = exitProcess}: StoppingOptions): Stopping {
  const controller = new AbortController()
  let patience: NodeJS.Timeout | undefined

  const stop = (reason: string) => {
    if (controller.signal.aborted) return
    patience = setTimeout(() => {
      say(
        `Not stopped within --shutdown-timeout: exiting. What was not finished will be done at the next start.`,
      )
      exit(ExitCode.interrupted)
    }, shutdownTimeoutMs)
    // A process that has nothing left to do need not wait for it.
    patience.unref()
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
    stop,
    dispose: () => {
      clearTimeout(patience)
      for (const name of SIGNALS) process.off(name, onSignal)
    },
  }
}

function exitProcess(code: number): void {
  process.exit(code)
}
