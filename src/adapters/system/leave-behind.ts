import {StreamtoolError} from '../../core/errors.js'
import type {Logger} from '../../core/ports/index.js'

/** For clearing up at the end of a run: trouble with it must not make a good end a bad one, since the next run clears up. */
export async function leavingBehind(work: () => Promise<unknown>, logger: Logger): Promise<void> {
  try {
    await work()
  } catch (thrown) {
    if (!(thrown instanceof StreamtoolError)) throw thrown
    logger.warn(`${thrown.message} What is left there is removed by the next run.`, {code: thrown.code})
  }
}
