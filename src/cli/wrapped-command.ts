/** Runs another program in our place: its streams are ours, signals reach it, and its exit code becomes ours. */
import {spawn} from 'node:child_process'
import {constants} from 'node:os'
import {StreamtoolError} from '../core/errors.js'

/**
 * @param environment in addition to our own, and what of ours is left out
 * @returns its exit code; 128 and the signal's number when a signal ended it, as shells have it
 * @throws USAGE when it cannot be started
 */
export function runWrapped(
  [program = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {stdio: 'inherit', env: {...process.env, ...environment}})
    const passOn = () => {
      const interrupted =
        signal.reason instanceof StreamtoolError && signal.reason.facts['reason'] === 'SIGINT'
      // At a terminal Ctrl-C has reached it already, and a second signal means "at once" to many programs.
      if (interrupted && process.stdin.isTTY) return
      child.kill(interrupted ? 'SIGINT' : 'SIGTERM')
    }
    const killAlong = () => child.kill('SIGKILL')
    signal.addEventListener('abort', passOn, {once: true})
    process.once('exit', killAlong)
    const settle = () => {
      signal.removeEventListener('abort', passOn)
      process.off('exit', killAlong)
    }
    child.once('error', (error) => {
      settle()
      reject(
        new StreamtoolError('USAGE', `The command after -- cannot be run: ${reasonOf(error)}.`, {
          suggestions: ['Check its name and that it is executable.'],
          cause: error,
        }),
      )
    })
    child.once('exit', (code, endedBy) => {
      settle()
      resolve(code ?? 128 + (endedBy === null ? 0 : constants.signals[endedBy]))
    })
  })
}

const reasonOf = (error: NodeJS.ErrnoException) =>
  error.code === 'ENOENT' ? 'it was not found' : (error.code ?? 'it could not be started')
