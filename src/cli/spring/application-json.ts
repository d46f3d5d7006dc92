/** SPRING_APPLICATION_JSON: an object, flat with dotted keys or nested, or both. What comes later in it wins. */
import {StreamtoolError} from '../../core/errors.js'

/** Deeper than any configuration, and shallow enough for a call each. */
const MAX_DEPTH = 64

/**
 * By dotted name, lists as `a,b`.
 * @throws CONFIG_UNREADABLE without anything of the text, which may hold secrets
 */
export function readApplicationJson(text: string, source: string): Map<string, string> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw unreadable(source, 'is not JSON')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw unreadable(source, 'is not a JSON object')
  return flatten(parsed, source)
}

/** @throws CONFIG_UNREADABLE */
export function flatten(table: object, source: string): Map<string, string> {
  const flat = new Map<string, string>()
  const put = (name: string, value: string) => {
    flat.delete(name)
    flat.set(name, value)
  }
  const add = (name: string, value: unknown, depth: number): void => {
    if (depth > MAX_DEPTH) throw unreadable(source, `is nested more than ${MAX_DEPTH} deep`)
    if (value === null) put(name, '')
    else if (isScalar(value)) put(name, String(value))
    else if (Array.isArray(value) && value.every(isScalar)) put(name, value.map(String).join(','))
    else if (typeof value === 'object')
      for (const [key, inner] of Object.entries(value))
        add(name === '' ? key : `${name}.${key}`, inner, depth + 1)
  }
  add('', table, 0)
  return flat
}

const isScalar = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value)

const unreadable = (source: string, what: string) =>
  new StreamtoolError('CONFIG_UNREADABLE', `${source} ${what}.`, {
    suggestions: ['Write an object: {"spring.cloud.stream.bindings.input.destination": "topic"}'],
  })
