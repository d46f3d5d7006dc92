/** Errors between two processes: ours keep their code and advice, those of plugins their name and stack. */
import {ERROR_KINDS, type ErrorCode, StreamtoolError} from '../../core/errors.js'
import {isError, messageOf} from '../stack.js'

export interface WireError {
  /** Null when it is none of ours. */
  readonly code: ErrorCode | null
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly suggestions: readonly string[]
  readonly facts: StreamtoolError['facts']
  readonly cause: WireError | null
}

export function toWire(thrown: unknown): WireError {
  const error = isError(thrown) ? thrown : new Error(messageOf(thrown))
  const ours = error instanceof StreamtoolError ? error : null
  return {
    code: ours?.code ?? null,
    name: error.name,
    message: error.message,
    stack: String(error.stack),
    suggestions: ours?.suggestions ?? [],
    facts: ours?.facts ?? {},
    // One is enough: what the plugin threw.
    cause: ours !== null && isError(error.cause) ? {...toWire(error.cause), cause: null} : null,
  }
}

export function fromWire({code, name, message, stack, suggestions, facts, cause}: WireError): Error {
  if (code !== null && Object.hasOwn(ERROR_KINDS, code))
    return new StreamtoolError(code, message, {
      suggestions,
      facts,
      ...(cause === null ? {} : {cause: fromWire(cause)}),
    })
  const error = new Error(message)
  error.name = name
  error.stack = stack
  return error
}
