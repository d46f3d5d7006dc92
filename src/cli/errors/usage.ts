/**
 * What oclif's parser refuses, in our words: the same code and exit code with and without --json, the nearest flag or
 * command suggested, and nothing of the arguments repeated that could be a value.
 */
import {StreamtoolError} from '../../core/errors.js'
import {flagName, type Settings} from '../settings/setting.js'
import {nearest} from '../../core/nearest.js'

/**
 * @param flags that the command has, without dashes
 * @returns null when the error is not one of the parser's
 */
export function asUsageError(
  thrown: unknown,
  command: string,
  flags: readonly string[],
): StreamtoolError | null {
  if (!isParserError(thrown)) return null
  if (thrown.flags !== undefined) return unknownFlags(thrown.flags, command, flags)
  const name = thrown.constructor.name
  if (name === 'RequiredArgsError') return missingArguments(thrown.args, command)
  if (name === 'UnexpectedArgsError') return tooManyArguments(command)
  // "Flag --topic expects a value", "Flag --topic can only be specified once": names only.
  const message = /^Flag --[a-z0-9-]+ (expects a value|can only be specified once)/i.exec(thrown.message)?.[0]
  return usage(message === undefined ? 'The arguments cannot be understood.' : `${message}.`, [
    helpHint(command),
  ])
}

/** What the parser made of the flags that it knows. */
export interface ParsedSoFar {
  readonly flags: Parsed['flags']
  /** What it says of the others, which may be those of a plugin that is not known yet; null: there are none. */
  readonly refusal: Error | null
}

export async function parsedSoFar(parsing: Promise<Parsed>): Promise<ParsedSoFar> {
  try {
    return {flags: (await parsing).flags, refusal: null}
  } catch (thrown) {
    if (isParserError(thrown) && thrown.flags !== undefined && thrown.parse !== undefined)
      return {flags: thrown.parse.output.flags, refusal: thrown}
    throw thrown
  }
}

interface Parsed {
  readonly flags: Readonly<Record<string, unknown>>
}

interface ParserError extends Error {
  readonly flags?: readonly string[]
  readonly args?: unknown
  readonly parse?: {readonly output: Parsed}
}

function isParserError(thrown: unknown): thrown is ParserError {
  return thrown instanceof Error && 'oclif' in thrown && !(thrown instanceof StreamtoolError)
}

function unknownFlags(given: readonly string[], command: string, flags: readonly string[]): StreamtoolError {
  const known = [...flags, 'help'].map((flag) => `--${flag}`)
  const named = given.map(nameOnly)
  const suggestions = named.flatMap((flag) => {
    const meant = flag === null ? null : nearest(flag, known)
    return meant === null ? [] : [`Instead of ${flag ?? ''}, did you mean ${meant}?`]
  })
  const shown = named.filter((flag) => flag !== null)
  const message =
    shown.length === 0
      ? `${command} was given a flag that it does not have.`
      : `${command} has no flag ${shown.join(', ')}.`
  return usage(message, [...suggestions, helpHint(command)])
}

/** The flag without its value; null for what does not look like a flag's name at all. */
const nameOnly = (given: string) => /^--[a-z][a-z-]{0,40}(?==|$)/i.exec(given)?.[0] ?? null

function missingArguments(args: unknown, command: string): StreamtoolError {
  const names = Array.isArray(args) ? args.map((arg: {name?: string}) => (arg.name ?? '').toUpperCase()) : []
  return usage(`${command} needs ${names.join(' and ') || 'an argument'}.`, [helpHint(command)])
}

function tooManyArguments(command: string): StreamtoolError {
  return usage(`${command} was given more arguments than it takes.`, [
    'Values belong behind their flags, like --topic TOPIC.',
    helpHint(command),
  ])
}

/** `--json=true` would be read as `--json` and an argument `true`. */
export function refuseValuesOfToggles(argv: readonly string[], command: string, settings: Settings): void {
  const toggles = Object.entries(settings)
    .filter(([, setting]) => setting.kind === 'toggle')
    .map(([name]) => flagName(name))
  const end = argv.indexOf('--')
  for (const argument of end === -1 ? argv : argv.slice(0, end)) {
    const toggle = toggles.find((flag) => argument.startsWith(`${flag}=`))
    if (toggle !== undefined)
      throw usage(`${toggle} takes no value.`, [
        `Write ${toggle} or ${toggle.replace('--', '--no-')}.`,
        helpHint(command),
      ])
  }
}

/** @param words what stands where a command should, as far as it was collected */
export function unknownCommand(words: readonly string[], commands: readonly string[]): StreamtoolError {
  const owner = commands.find((command) => command === words[0])
  if (owner !== undefined) return tooManyArguments(owner)
  const meant = nearest(words.join(' '), commands) ?? nearest(words[0] ?? '', commands)
  return usage(
    meant === null ? 'There is no such command.' : `There is no such command; did you mean ${meant}?`,
    [...(meant === null ? [] : [helpHint(meant)]), `Commands: ${commands.join(', ')}`],
  )
}

const helpHint = (command: string) => `See streamtool ${command} --help`

const usage = (message: string, suggestions: readonly string[]) =>
  new StreamtoolError('USAGE', message, {suggestions})
