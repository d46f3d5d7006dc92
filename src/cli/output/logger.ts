/**
 * The words on stderr. Text for people: plain at a terminal, with a time elsewhere, since then it is a log. JSON for
 * collectors: one object a line with time, level, message and the facts.
 */
import type {LogFacts, Logger} from '../../core/ports/index.js'
import {printable} from './quantities.js'
import type {Redact} from './redact.js'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: 'text' | 'json'
  /** Whether a person is looking. */
  readonly terminal: boolean
  readonly now: () => Date
  readonly redact: Redact
  /** Writes one line; it has no line break of its own. */
  readonly writeLine: (line: string) => void
}

export function createLogger(options: LoggerOptions): Logger {
  const least = LOG_LEVELS.indexOf(options.level)
  const write = options.format === 'json' ? jsonLine : textLine
  const at = (level: LogLevel) => (message: string, facts?: LogFacts) => {
    if (LOG_LEVELS.indexOf(level) >= least) options.writeLine(write(level, message, facts ?? {}, options))
  }
  return {debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error')}
}

function jsonLine(level: LogLevel, message: string, facts: LogFacts, {now, redact}: LoggerOptions): string {
  return jsonText({time: now().toISOString(), level, message, ...facts}, redact)
}

const PREFIX = {debug: 'debug: ', info: '', warn: 'warning: ', error: 'error: '} as const

function textLine(level: LogLevel, message: string, facts: LogFacts, options: LoggerOptions): string {
  const {terminal, now, redact} = options
  const time = terminal ? '' : `${now().toISOString()} `
  const shown = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${factText(value, redact)}`)
  return `${time}${PREFIX[level]}${printable(redact(message))}${shown.join('')}`
}

/** A single word as it is, anything else as JSON. */
function factText(value: unknown, redact: Redact): string {
  const word = typeof value === 'string' && /^[\w.:/@+-]+$/.test(value)
  return word ? redact(value) : printable(jsonText(value, redact))
}

/** Masks before it escapes: an escaped secret would not be recognised. */
function jsonText(value: unknown, redact: Redact): string {
  const written = JSON.stringify(value, (_, inner: unknown) => {
    const plain = writable(inner)
    return typeof plain === 'string' ? redact(plain) : plain
  }) as string | undefined
  // For what JSON cannot say, such as a function, it answers undefined whatever its type declares.
  return written ?? typeof value
}

/** Errors and bigints, which JSON does not write by itself in a way that helps. */
function writable(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return {name: value.name, message: value.message, ...codeOf(value)}
  return value
}

const codeOf = (error: Error) => ('code' in error ? {code: error.code} : {})
