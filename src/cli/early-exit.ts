/**
 * Code of a plugin that is not known as its own (processors/exit-guard.ts knows the most of it) can end the process, by
 * `process.exit()` or by leaving it nothing to wait for: then nobody has said what became of the files, and a script
 * must not take that for success, nor for an error of another kind.
 */
import {ERROR_KINDS, ExitCode, StreamtoolError} from '../core/errors.js'
import {failAtOnce} from './output/early.js'

const {exitCode} = ERROR_KINDS.PLUGIN_LATE_ERROR
/** A second signal, and errors of our own. */
const OURS: readonly number[] = [ExitCode.interrupted, ExitCode.bug]

/** Does the work; should the process end in the middle of it, that is said as an error. */
export async function toldOfEarlyExit<T>(
  command: string,
  argv: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const onExit = (code: number): void => {
    if (OURS.includes(code)) return
    process.exitCode = exitCode
    failAtOnce(command, argv, process.env, earlyExit())
  }
  process.once('exit', onExit)
  try {
    return await work()
  } finally {
    process.off('exit', onExit)
  }
}

const earlyExit = () =>
  new StreamtoolError(
    'PLUGIN_LATE_ERROR',
    'The process was ended in the middle of its run, by process.exit() in the plugin or because nothing was left to wait for. What was not finished will be tried at the next start.',
    {suggestions: ['Throw instead of process.exit(). With --isolate process it ends one attempt only.']},
  )
