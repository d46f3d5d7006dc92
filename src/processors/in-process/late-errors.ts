/**
 * Errors of a plugin that nobody awaits: thrown in a timer or an event emitter, or rejections without a handler. Node
 * would end the process for any of them, without saying whose it was.
 *
 *     raised while the attempt that it began in goes on  -> fails that attempt
 *     raised later, or outside of any file               -> ends the run: what was counted as done may not be
 *     not of the plugin                                  -> ends the process, as without us
 *
 * The same goes for a plugin that calls `process.exit()` (exit-guard.ts).
 */
import {StreamtoolError} from '../../core/errors.js'
import {guardExits, RefusedExit} from '../exit-guard.js'
import {currentWork} from '../running/plugin-work.js'
import {cameThrough, frames, messageOf} from '../stack.js'

export interface LateErrorOptions {
  readonly owner: object
  readonly processor: string
  /** The plugin's file: an error that lost its context is known by its stack. Null when unknown. */
  readonly path: string | null
  /** Called once at most for each error that belongs to no attempt. */
  readonly onLateError: (error: StreamtoolError) => void
  /** Whether `--isolate process` would help. */
  readonly mayBeIsolated?: boolean
}

/** @returns stops watching */
export function catchLateErrors(options: LateErrorOptions): () => void {
  const on = (event: 'uncaughtException' | 'unhandledRejection') => (thrown: unknown) => {
    if (thrown instanceof RefusedExit && thrown.isTold) return
    if (isOfPlugin(thrown, options)) {
      if (currentWork()?.fail(thrown) !== true) options.onLateError(lateError(options, thrown))
    } else if (process.listenerCount(event) === 1) {
      // Nobody else listens, so it ends the process as it would have without us.
      stop()
      setImmediate(() => {
        throw thrown
      })
    }
  }
  const onException = on('uncaughtException')
  const onRejection = on('unhandledRejection')
  // Fails the attempt even if the plugin catches what it is thrown.
  const stopGuarding = guardExits((exit) => {
    if (!isOfPlugin(exit, options)) return false
    exit.isTold = currentWork()?.fail(exit) === true
    return true
  })
  const stop = () => {
    stopGuarding()
    process.off('uncaughtException', onException)
    process.off('unhandledRejection', onRejection)
  }
  process.on('uncaughtException', onException)
  process.on('unhandledRejection', onRejection)
  return stop
}

/** By the context that it came from; what has lost that, by its stack. */
function isOfPlugin(thrown: unknown, {owner, path}: LateErrorOptions): boolean {
  const work = currentWork()
  if (work !== null) return work.owner === owner
  return cameThrough(thrown, path)
}

function lateError({processor, mayBeIsolated = true}: LateErrorOptions, thrown: unknown): StreamtoolError {
  const [where] = frames(thrown, 1)
  return new StreamtoolError(
    'PLUGIN_LATE_ERROR',
    `${processor} failed when nobody was waiting for it any more: ${messageOf(thrown)}${where === undefined ? '' : ` (${where})`}`,
    {
      facts: {processor},
      cause: thrown,
      suggestions: [
        'Something was begun and not awaited: a promise, a timer, an event emitter without an error listener. Await it where it is begun, so that its failure is the failure of the file, or the record.',
        ...(mayBeIsolated ? ['With --isolate process it ends one process of several, and not the run.'] : []),
      ],
    },
  )
}
