/** An error as the user sees it: an object for programs, lines for people. */
import type {StreamtoolError} from '../../core/errors.js'
import {printable} from '../output/quantities.js'
import type {Redact} from '../output/redact.js'

export interface ErrorObject {
  readonly schema: 1
  readonly command: string | null
  readonly error: {
    readonly code: string
    readonly message: string
    readonly exitCode: number
    readonly suggestions: readonly string[]
  }
}

/** @param command null when no command was recognised */
export function errorObject(command: string | null, error: StreamtoolError, redact: Redact): ErrorObject {
  const {code, exitCode} = error
  const message = redact(error.message)
  const suggestions = error.suggestions.map(redact)
  return {schema: 1, command, error: {code, message, exitCode, suggestions}}
}

/** With `--events`: the last event. @param json the object is wanted, too */
export const finishedEvent = (object: ErrorObject, json: boolean, now: Date) => ({
  event: 'finished',
  time: now.toISOString(),
  error: object.error,
  ...(json ? {report: object} : {}),
})

export function errorLines({error}: ErrorObject): string[] {
  const {code, message, suggestions} = error
  return [`Error: ${message} (${code})`, ...suggestions.map((suggestion) => `  - ${suggestion}`)].map(
    printable,
  )
}

/** For --log-level debug: where it came from, and from what. */
export function stackLines(error: unknown): string[] {
  const lines: string[] = []
  for (let cause = error; cause instanceof Error && lines.length < 200; cause = cause.cause)
    lines.push(...(cause.stack ?? String(cause)).split('\n'))
  return lines
}
