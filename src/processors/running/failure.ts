/** What a plugin threw, as one of our errors: its own message, and where in its code. */
import {StreamtoolError} from '../../core/errors.js'
import {frames, messageOf} from '../stack.js'

/** @param doing `failed on run-7/scan.csv` */
export function pluginFailure(
  code: 'PROCESSING_FAILED' | 'PLUGIN_SETUP_FAILED',
  processor: string,
  doing: string,
  thrown: unknown,
): StreamtoolError {
  // Ours, passed through: what ends the run ends it, and a file that is too large is no smaller the next time.
  if (thrown instanceof StreamtoolError && (thrown.endsRun || thrown.code === 'FILE_TOO_LARGE_FOR_MEMORY'))
    return thrown
  const [where] = frames(thrown, 1)
  return new StreamtoolError(
    code,
    `${processor} ${doing}: ${messageOf(thrown)}${where === undefined || thrown instanceof StreamtoolError ? '' : ` (${where})`}`,
    {
      facts: {processor},
      suggestions: thrown instanceof StreamtoolError ? thrown.suggestions : [],
      cause: thrown,
    },
  )
}
