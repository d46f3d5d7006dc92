/** Whether the flags that a plugin declares can become flags of the command line. */
import {nearest} from '../../core/nearest.js'
import {kindOf, type Mistake, shown} from './mistake.js'
import {inWords} from './unloadable.js'

type Facts = Readonly<Record<string, unknown>>

const TYPES: Readonly<Record<string, readonly string[]>> = {
  string: ['type', 'default', 'choices', 'required', 'description'],
  number: ['type', 'default', 'min', 'max', 'required', 'description'],
  boolean: ['type', 'default', 'description'],
}
const EXAMPLE = "{type: 'number', default: 5, description: 'one line for --help'}"

/** Flags that every command has. */
const ALWAYS_RESERVED = ['help', 'version']

/** @param reserved in camelCase */
export function flagMistakes(flags: unknown, reserved: ReadonlySet<string>): Mistake[] {
  if (flags === undefined) return []
  if (!isFacts(flags))
    return [{what: `\`flags\` is ${kindOf(flags)}`, instead: `Write: flags: {threshold: ${EXAMPLE}}`}]
  const taken = new Set([...reserved, ...ALWAYS_RESERVED])
  return Object.entries(flags).flatMap(([name, definition]) =>
    [nameMistake(name, flags, taken), definitionMistake(name, definition)].filter(
      (mistake) => mistake !== null,
    ),
  )
}

const isFacts = (value: unknown): value is Facts =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function nameMistake(name: string, flags: Facts, taken: ReadonlySet<string>): Mistake | null {
  if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) {
    const camel = name.replace(/[^a-zA-Z0-9]+([a-zA-Z0-9]?)/g, (_, letter: string) => letter.toUpperCase())
    const written = camel.charAt(0).toLowerCase() + camel.slice(1)
    return {
      what: `the flag \`${name}\` cannot be written so`,
      instead: `Letters and digits in camelCase${/^[a-z]/.test(written) ? `: ${written}` : ', such as noiseFloor (--noise-floor on the command line)'}`,
    }
  }
  // `--no-x` already says that x is not wanted.
  const positive = /^no[A-Z]/.test(name) ? name.charAt(2).toLowerCase() + name.slice(3) : null
  const shadowed = taken.has(name)
    ? name
    : positive !== null && (taken.has(positive) || positive in flags)
      ? positive
      : null
  if (shadowed === null) return null
  return {
    what: `the flag \`${name}\` shadows ${shadowed in flags && shadowed !== name ? 'another of its own' : 'one of streamtool'}`,
    instead: `Give it another name, such as my${name.charAt(0).toUpperCase()}${name.slice(1)}.`,
  }
}

function definitionMistake(name: string, definition: unknown): Mistake | null {
  const flag = `the flag \`${name}\``
  if (!isFacts(definition))
    return {what: `${flag} is ${kindOf(definition)}`, instead: `Write: ${name}: ${EXAMPLE}`}
  const {type} = definition
  const known = typeof type === 'string' && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined
  if (known === undefined) {
    return {
      what: type === undefined ? `${flag} has no type` : `${flag} has the type ${shown(type)}`,
      instead: `${name}: {type: 'string'}, {type: 'number'} or {type: 'boolean'}`,
    }
  }
  const unknown = Object.keys(definition).find((key) => !known.includes(key))
  if (unknown !== undefined) {
    const meant = nearest(unknown, known)
    return {
      what: `${flag} has \`${unknown}\``,
      instead:
        meant === null
          ? `A ${String(type)} flag has ${inWords(known)}.`
          : `Instead of \`${unknown}\`, did you mean \`${meant}\`?`,
    }
  }
  return factMistake(flag, definition) ?? rangeMistake(flag, definition)
}

function factMistake(
  flag: string,
  {type, default: value, required, description, choices}: Facts,
): Mistake | null {
  const isOfType = type === 'number' ? Number.isFinite(value) : typeof value === type
  if (value !== undefined && !isOfType)
    return {
      what: `${flag} has the default ${shown(value)}`,
      instead: `Its default is to be a ${String(type)}, or left out.`,
    }
  if (required !== undefined && typeof required !== 'boolean')
    return {what: `${flag} has \`required: ${shown(required)}\``, instead: '`required` is true or false.'}
  if (required === true && value !== undefined)
    return {what: `${flag} is required and has a default`, instead: 'Leave one of them out.'}
  if (description !== undefined && typeof description !== 'string')
    return {
      what: `${flag} has ${kindOf(description)} as its description`,
      instead: '`description` is one line of text.',
    }
  if (choices === undefined) return null
  const isList =
    Array.isArray(choices) && choices.length > 0 && choices.every((each) => typeof each === 'string')
  if (!isList)
    return {what: `${flag} has the choices ${shown(choices)}`, instead: "Write: choices: ['fast', 'exact']"}
  if (value !== undefined && !(choices as unknown[]).includes(value))
    return {
      what: `${flag} has a default that is none of its choices`,
      instead: `Choose from ${inWords(choices)}.`,
    }
  return null
}

function rangeMistake(flag: string, {default: value, min, max}: Facts): Mistake | null {
  const wrong = [min, max].find((bound) => bound !== undefined && typeof bound !== 'number')
  if (wrong !== undefined)
    return {what: `${flag} has the bound ${shown(wrong)}`, instead: '`min` and `max` are numbers.'}
  const [least, most] = [min ?? -Infinity, max ?? Infinity] as [number, number]
  if (least > most) return {what: `${flag} has a min above its max`, instead: 'Swap them.'}
  if (typeof value === 'number' && (value < least || value > most))
    return {what: `${flag} has a default outside of its bounds`, instead: `From ${least} to ${most}.`}
  return null
}
