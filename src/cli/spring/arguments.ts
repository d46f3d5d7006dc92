/**
 * The arguments of `passthrough`, as its own flags and as Spring Boot's `--key=value`. A name with a dot or a bracket
 * is a property, any other a flag. Beyond what Boot takes, `--key value` is understood, and the words `$@` and `--`
 * are passed over: images whose ENTRYPOINT was written for a shell have them among their arguments.
 */
import {StreamtoolError} from '../../core/errors.js'
import {isRepeatable} from '../settings/flags.js'
import {flagName, keyName, type Setting, type Settings} from '../settings/setting.js'
import {canonical, canonicalName, type SpringProperty} from './property.js'

export interface ArgumentList {
  /** By flag, without dashes, as oclif's parser would have them. */
  readonly flags: Record<string, string | boolean | string[]>
  /** In the order of their first mention. */
  readonly properties: readonly SpringProperty[]
  /** Undotted names that are no flag: for another application's eyes, or a mistake. */
  readonly unknown: readonly string[]
  /** How many words are neither a flag nor the value of one. */
  readonly strayWords: number
}

const STRAY = new Set(['$@', '--', '"$@"', ''])
const ON_OR_OFF = /^(true|false|yes|no|on|off)$/i

/** @throws USAGE for a flag that lacks its value, or has two */
export function readArguments(argv: readonly string[], settings: Settings): ArgumentList {
  const flags: ArgumentList['flags'] = {}
  const properties = new Map<string, SpringProperty>()
  const unknown: string[] = []
  let strayWords = 0
  const words = argv.filter((word) => !STRAY.has(word))
  const valueAt = (index: number) => {
    const word = words[index]
    return word === undefined || word.startsWith('--') ? null : word
  }

  for (let i = 0; i < words.length; i++) {
    const {name, value} = partsOf(words[i] ?? '')
    if (name === null) {
      strayWords += 1
      continue
    }
    if (/[.[]/.test(name)) {
      const given = value ?? valueAt(i + 1)
      if (value === null && given !== null) i += 1
      addProperty(properties, name, given ?? '')
      continue
    }
    const flag = flagNamed(name, settings)
    if (flag === null) {
      unknown.push(name)
      if (value === null && valueAt(i + 1) !== null) i += 1
      continue
    }
    if (flag.setting.kind === 'toggle') {
      const next = valueAt(i + 1)
      const given = value ?? (next !== null && ON_OR_OFF.test(next) ? next : null)
      if (value === null && given !== null) i += 1
      setFlag(flags, flag, toggled(flag, given))
      continue
    }
    const given = value ?? valueAt(i + 1)
    if (given === null) throw usage(`Flag ${flagName(flag.name)} expects a value.`)
    if (value === null) i += 1
    setFlag(flags, flag, given)
  }
  return {flags, properties: [...properties.values()], unknown, strayWords}
}

/** The same name twice means both values, as with Spring Boot. */
function addProperty(properties: Map<string, SpringProperty>, name: string, value: string): void {
  const elements = canonicalName(name.replace(/\[\d*\]$/, ''))
  const key = elements.join('.')
  const before = properties.get(key)
  properties.set(key, {
    elements,
    joins: false,
    written: name,
    source: `--${name}`,
    value: before === undefined ? value : `${before.value},${value}`,
  })
}

function partsOf(word: string): {name: string | null; value: string | null} {
  const option = /^-([A-Z])=?(.*)$/s.exec(word)
  if (option !== null) return {name: option[1] ?? '', value: option[2] === '' ? null : (option[2] ?? null)}
  if (!word.startsWith('--')) return {name: null, value: null}
  const equals = word.indexOf('=')
  return equals < 0
    ? {name: word.slice(2), value: null}
    : {name: word.slice(2, equals), value: word.slice(equals + 1)}
}

interface Flag {
  readonly name: string
  readonly setting: Setting
  readonly isNegated: boolean
}

/** `--reverse-string` and `--reverseString` are `--reversestring`, as Spring Boot would have it. */
function flagNamed(written: string, settings: Settings): Flag | null {
  for (const [name, setting] of Object.entries(settings)) {
    if (written === setting.char || canonical(written) === canonical(name))
      return {name, setting, isNegated: false}
    if (setting.kind === 'toggle' && written === `no-${keyName(name)}`)
      return {name, setting, isNegated: true}
  }
  return null
}

function toggled({name, isNegated}: Flag, given: string | null): string | boolean {
  if (given === null) return !isNegated
  if (isNegated) throw usage(`--no-${keyName(name)} takes no value.`)
  return given
}

function setFlag(flags: ArgumentList['flags'], {name, setting}: Flag, value: string | boolean): void {
  const key = keyName(name)
  const before = flags[key]
  if (isRepeatable(setting)) {
    flags[key] = [...(Array.isArray(before) ? before : []), String(value)]
    return
  }
  if (before !== undefined && setting.kind !== 'toggle')
    throw usage(`Flag ${flagName(name)} can only be specified once.`)
  flags[key] = value
}

const usage = (message: string) =>
  new StreamtoolError('USAGE', message, {suggestions: ['See streamtool passthrough --help']})
