/**
 * What a value means, as a valibot schema of each kind of setting. The same schema reads flags and variables (text)
 * and configuration files (JSON values). Its messages finish the sentence "--chunk-size …" and never repeat the value,
 * which may be a secret put in the wrong place.
 */
import {homedir} from 'node:os'
import {resolve} from 'node:path'
import * as v from 'valibot'
import {nearest} from '../../core/nearest.js'
import {parseDuration, parseSize} from './quantities.js'
import {Secret, type Setting} from './setting.js'

export type ValueSchema = v.GenericSchema<unknown, unknown>

/** @param baseDir what relative paths are relative to */
export function schemaOf(setting: Setting, baseDir: string): ValueSchema {
  switch (setting.kind) {
    case 'text':
      return plainText
    case 'list':
      return listOfText
    case 'toggle':
      return onOrOff
    case 'integer':
      return wholeNumber(setting.min ?? 0, setting.max ?? Number.MAX_SAFE_INTEGER)
    case 'number':
      return anyNumber(setting.min ?? -Infinity, setting.max ?? Infinity)
    case 'decimal':
      return decimalNumber
    case 'size':
      return parsed(parseSize, 'must be a size, like 512KiB or 64MiB')
    case 'duration':
      return parsed(parseDuration, 'must be a duration with its unit, like 30s or 10m')
    case 'choice':
      return oneOf(setting.choices ?? [])
    case 'pairs':
      return keyValuePairs
    case 'path':
      return v.pipe(
        quotedText,
        v.transform((path) => resolve(baseDir, withHome(path))),
      )
    case 'pem':
      return v.pipe(
        quotedText,
        v.transform((given) => (isPemText(given) ? given : resolve(baseDir, withHome(given)))),
      )
    case 'secret':
      return v.pipe(
        quotedText,
        v.transform((given) => new Secret(given)),
      )
  }
}

export const isPemText = (given: string) => given.trimStart().startsWith('-----BEGIN')

const withHome = (path: string) => path.replace(/^~(?=$|[/\\])/, homedir())

/** YAML reads `0123`, `1e5` and `yes` as something else than text; where that would do harm, quotes are asked for. */
const quotedText = v.pipe(v.string('must be text; put it in quotes'), v.nonEmpty('must not be empty'))

const plainText = v.pipe(
  v.union([v.string(), v.number()], 'must be text'),
  v.transform(String),
  v.nonEmpty('must not be empty'),
)

const splitAtCommas = (written: string) =>
  written
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

const listOfText = v.pipe(
  v.union([v.string(), v.array(v.string())], 'must be a list of text'),
  v.transform((given) => (typeof given === 'string' ? [given] : given).flatMap(splitAtCommas)),
  v.minLength(1, 'must not be empty'),
)

const SWITCH_WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  '0': false,
}

const onOrOff = v.pipe(
  v.union([v.boolean(), v.string()], 'must be true or false'),
  v.transform((given) => (typeof given === 'string' ? SWITCH_WORDS[given.toLowerCase()] : given)),
  v.boolean('must be true or false'),
)

function wholeNumber(min: number, max: number): ValueSchema {
  const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`
  const message = `must be a whole number ${range}`
  return v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.digits(message), v.transform(Number))], message),
    v.safeInteger(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  )
}

const DECIMAL_FORM = 'must be a number of 0 or more, like 2 or 1.5'
const decimalNumber = v.pipe(
  v.union(
    [v.number(), v.pipe(v.string(), v.regex(/^\d+(\.\d+)?$/, DECIMAL_FORM), v.transform(Number))],
    DECIMAL_FORM,
  ),
  v.finite(DECIMAL_FORM),
  v.minValue(0, DECIMAL_FORM),
)

function anyNumber(min: number, max: number): ValueSchema {
  const from = min === -Infinity ? '' : ` of ${min} or more`
  const range = max === Infinity ? from : min === -Infinity ? ` of ${max} or less` : ` from ${min} to ${max}`
  const message = `must be a number${range}, like 5 or -0.25`
  return v.pipe(
    v.union(
      [
        v.number(),
        v.pipe(v.string(), v.regex(/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, message), v.transform(Number)),
      ],
      message,
    ),
    v.finite(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  )
}

function parsed(parse: (written: string) => number | null, message: string): ValueSchema {
  return v.pipe(
    v.union([v.string(), v.number()], message),
    v.transform((given) => parse(String(given))),
    v.number(message),
  )
}

function oneOf(choices: readonly string[]): ValueSchema {
  return v.pipe(
    v.string(`must be one of ${choices.join(', ')}`),
    v.transform((given) => choices.find((choice) => isSameWord(choice, given, choices)) ?? given),
    v.rawCheck(({dataset, addIssue}) => {
      if (!dataset.typed || choices.includes(dataset.value)) return
      const meant = nearest(dataset.value, choices)
      const hint = meant === null ? '' : ` (did you mean ${meant}?)`
      addIssue({message: `must be one of ${choices.join(', ')}${hint}`})
    }),
  )
}

/** In whatever case, unless that is what tells two of them apart. */
function isSameWord(choice: string, given: string, choices: readonly string[]): boolean {
  return choice === given || (!choices.includes(given) && choice.toLowerCase() === given.toLowerCase())
}

/** `key=value`, several at a comma that another `key=` follows, so that values may hold commas. */
const BETWEEN_PAIRS = /,(?=[\w.-]+=)/

const PAIR_FORM = 'must be written KEY=VALUE'
const pairText = v.pipe(
  v.string(PAIR_FORM),
  v.regex(/^[^=\s]+=/, PAIR_FORM),
  v.transform((pair): [string, string] => [
    pair.slice(0, pair.indexOf('=')),
    pair.slice(pair.indexOf('=') + 1),
  ]),
)
const pairsText = v.pipe(
  v.union([v.string(), v.array(v.string(PAIR_FORM))], PAIR_FORM),
  v.transform((given) => (typeof given === 'string' ? given.split(BETWEEN_PAIRS) : given)),
  v.array(pairText, PAIR_FORM),
  v.transform((entries) => Object.fromEntries(entries)),
)
const PAIR_VALUES = 'must hold text for each key; put it in quotes'
const pairsTable = v.record(
  v.string(PAIR_FORM),
  v.pipe(v.union([v.string(), v.number(), v.boolean()], PAIR_VALUES), v.transform(String)),
  PAIR_FORM,
)
const keyValuePairs = v.lazy((given) =>
  typeof given === 'object' && given !== null && !Array.isArray(given) ? pairsTable : pairsText,
)
