/** What a program that did not do its work tells of itself. */
import {StreamtoolError} from '../../core/errors.js'
import type {FileInfo} from '../contract.js'
import type {ExecCommand} from './command.js'
import type {ProgramEnd} from './run-program.js'

export function failureOf(
  {name}: ExecCommand,
  {path}: FileInfo,
  {exitCode, signal}: ProgramEnd,
  lastLines: readonly string[],
): StreamtoolError {
  const words = lastLines.length > 0 ? `: ${lastLines.join(' | ').slice(0, 1000)}` : '.'
  return exitCode === null
    ? new StreamtoolError(
        'PROCESSOR_CRASHED',
        `${name} was ended by ${signal ?? 'a signal'} on ${path}${words}`,
        {
          facts: {path, signal},
          ...(signal === 'SIGKILL' ? {suggestions: ['Was it out of memory? The kernel log tells.']} : {}),
        },
      )
    : new StreamtoolError('PROCESSING_FAILED', `${name} exited with ${exitCode} on ${path}${words}`, {
        facts: {path, exitCode},
      })
}

export function resultTooLarge({path}: FileInfo, resultBytes: number): StreamtoolError {
  return new StreamtoolError(
    'PROCESSING_FAILED',
    `What was printed for ${path} is more than ${resultBytes} bytes, too large for a result.`,
    {
      facts: {path, limit: resultBytes},
      suggestions: [
        'Print what is to be sent to the result topic only; write the rest to the output directory.',
      ],
    },
  )
}

/** What starting it threw; anything else is returned as it is. */
export function notStarted({program, name}: ExecCommand, {path}: FileInfo, thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !('syscall' in thrown) || !String(thrown.syscall).startsWith('spawn'))
    return thrown
  const code = 'code' in thrown ? String(thrown.code) : thrown.message
  return new StreamtoolError('PROCESSING_FAILED', `${name} could not be started for ${path}: ${code}.`, {
    facts: {path, program},
    cause: thrown,
  })
}
