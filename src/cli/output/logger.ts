/**
 * The words on stderr. Text for people: plain at a terminal, with a time elsewhere, since then it is a log. JSON for
 * collectors: one object a line with time, level, message and the facts.
 */
import type {LogFacts, Logger} from '../../core/ports.js'
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
  const line = {time: now().toISOString(), level, message, ...facts}
  return JSON.stringify(line, (_, value: unknown) =>
    typeof value === 'string' ? redact(value) : writable(value),
  )
}

const PREFIX = {debug: 'debug: ', info: '', warn: 'warning: ', error: 'error: '} as const

function textLine(level: LogLevel, message: string, facts: LogFacts, options: LoggerOptions): string {
  const time = options.terminal ? '' : `${options.now().toISOString()} `
  const shown = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${asText(value)}`)
  return options.redact(`${time}${PREFIX[level]}${printable(message)}${shown.join('')}`)
}

function asText(value: unknown): string {
  if (typeof value === 'string') return /^[\w.:/@+-]+$/.test(value) ? value : printable(JSON.stringify(value))
  // For what JSON cannot say, such as a function, it answers undefined whatever its type declares.
  const written = JSON.stringify(value, (_, inner: unknown) => writable(inner)) as string | undefined
  return printable(written ?? typeof value)
}

/** Errors and bigints, which JSON does not write by itself in a way that helps. */
function writable(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return {name: value.name, message: value.message, ...codeOf(value)}
  return value
}

const codeOf = (error: Error) => ('code' in error ? {code: error.code} : {})
