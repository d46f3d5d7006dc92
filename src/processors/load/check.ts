/** Whether an object is a processor: all that is wrong with it is said at once. */
import {nearest} from '../../core/nearest.js'
import type {Processor} from '../contract.js'
import {flagMistakes} from './check-flags.js'
import {kindOf, type Mistake, shown} from './mistake.js'
import {inWords, unloadable} from './unloadable.js'

export interface CheckOptions {
  readonly member?: 'process' | 'transform'
  readonly reservedFlags?: Iterable<string>
}

/** How each function is written, for who left it out or made it something else. */
const SIGNATURES: Readonly<Record<string, string>> = {
  setup: 'async setup(context) { … }',
  process: 'async process(file, context) { … }',
  failed: 'async failed(file, error, context) { … }',
  mismatched: 'async mismatched(file, context) { … }',
  transform: 'transform(record, context) { return record }',
  teardown: 'async teardown(context) { … }',
}
const MEMBERS = ['name', 'description', 'flags', ...Object.keys(SIGNATURES)]

const COMMAND_OF = {process: 'process', transform: 'passthrough'} as const

/** @throws PLUGIN_UNLOADABLE */
export function checkProcessor(spec: string, processor: Processor, options: CheckOptions): void {
  const members = processor as unknown as Readonly<Record<string, unknown>>
  const mistakes = [
    ...nameMistakes(members['name']),
    ...(members['description'] === undefined || typeof members['description'] === 'string'
      ? []
      : [ofType('description', members['description'], 'a text')]),
    ...functionMistakes(members),
    ...unknownMembers(members),
    ...missingMember(members, options.member),
    ...flagMistakes(members['flags'], new Set(options.reservedFlags ?? [])),
  ]
  if (mistakes.length === 0) return
  throw unloadable(
    spec,
    `cannot be used: ${inWords(mistakes.map(({what}) => what))}`,
    mistakes.map(({instead}) => instead),
  )
}

function nameMistakes(name: unknown): Mistake[] {
  if (name === undefined) return [{what: '`name` is missing', instead: "Add it: name: 'my-processor'"}]
  if (typeof name !== 'string') return [ofType('name', name, 'a text')]
  if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) && name.length <= 64) return []
  return [
    {
      what: `\`name\` is ${shown(name)}`,
      instead: "Lower-case letters, digits and single dashes, 64 at most: name: 'my-processor'",
    },
  ]
}

function functionMistakes(members: Readonly<Record<string, unknown>>): Mistake[] {
  return Object.entries(SIGNATURES).flatMap(([name, signature]) => {
    const member = members[name]
    if (member === undefined || typeof member === 'function') return []
    return [{...ofType(name, member, 'a function'), instead: `Write: ${signature}`}]
  })
}

/** An instance of a class has fields of its own, so only plain objects are asked. */
function unknownMembers(members: Readonly<Record<string, unknown>>): Mistake[] {
  const prototype: unknown = Object.getPrototypeOf(members)
  if (prototype !== Object.prototype && prototype !== null) return []
  return Object.keys(members)
    .filter((name) => !MEMBERS.includes(name))
    .map((name) => {
      const meant = nearest(
        name,
        MEMBERS.filter((member) => members[member] === undefined),
      )
      const instead =
        meant === null
          ? `A processor has ${inWords(MEMBERS)}. What it remembers goes into variables beside it.`
          : `Instead of \`${name}\`, did you mean \`${meant}\`?`
      return {what: `\`${name}\` is no member of a processor`, instead}
    })
}

function missingMember(
  members: Readonly<Record<string, unknown>>,
  wanted: CheckOptions['member'],
): Mistake[] {
  if (wanted === undefined || members[wanted] !== undefined) return []
  const other = wanted === 'process' ? 'transform' : 'process'
  const instead = `Add it: ${SIGNATURES[wanted] ?? ''}`
  return [
    {
      what: `\`${wanted}\` is missing`,
      instead:
        members[other] === undefined
          ? instead
          : `${instead}. For its \`${other}\` there is: streamtool ${COMMAND_OF[other]} --plugin …`,
    },
  ]
}

const ofType = (name: string, value: unknown, wanted: string): Mistake => ({
  what: `\`${name}\` is ${kindOf(value)}`,
  instead: `\`${name}\` is to be ${wanted}.`,
})
