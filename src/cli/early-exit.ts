/**
 * A plugin can end the process, by `process.exit()` or by leaving it nothing to wait for: then nobody has said what
 * became of the files, and a script must not take that for success.
 */
import {ERROR_KINDS} from '../core/errors.js'

const {exitCode} = ERROR_KINDS.PLUGIN_LATE_ERROR

/** @returns stops watching: the run is over */
export function tellOfEarlyExit(say: (text: string) => void): () => void {
  const onExit = (code: number): void => {
    if (code !== 0) return
    process.exitCode = exitCode
    say(
      'Error: The process was ended in the middle of its run, by process.exit() in the plugin or because nothing was left to wait for. What was not finished will be tried at the next start. (PLUGIN_LATE_ERROR)\n  - Throw instead of process.exit(). With --isolate process it ends one attempt only.\n',
    )
  }
  process.once('exit', onExit)
  return () => process.off('exit', onExit)
}
