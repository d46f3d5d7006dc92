/** All properties of a run, from all their sources, the strongest first; and the words `${…}` in them. */
import {StreamtoolError} from '../../core/errors.js'
import {readApplicationJson} from './application-json.js'
import {canonicalName, elementsOfVariable, matchName, type SpringProperty} from './property.js'
import {findPropertyFiles, type PropertyFile} from './property-files.js'

export interface Sources {
  readonly properties: readonly SpringProperty[]
  /** Files that were read. */
  readonly files: readonly string[]
}

/** Variables of these names are Spring's wherever they are set; others count once it is known to be meant. */
const TELLTALE = /^spring[._]cloud[._](stream|dataflow[._]stream|application|function)[._]/i
/** Of all variables these are looked at. */
const RELEVANT = /^(spring|server|management|info|instance|cf_instance|logging|eureka)[._]/i
/** What Kubernetes and Docker say of services that happen to be called so: `SERVER_PORT=tcp://10.0.0.1:80`. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_(TCP|UDP|SCTP)\w*)$/
const isServiceLink = (name: string, value: string) =>
  SERVICE_LINK.test(name) || /^(tcp|udp|sctp):\/\//.test(value)
const JSON_VARIABLE = 'SPRING_APPLICATION_JSON'

/**
 * Spring Boot's order: arguments, then SPRING_APPLICATION_JSON, then variables, then files.
 * @param fromArguments the dotted ones
 * @param ownVariables variables that stand for flags of ours, in canonical form
 * @returns null when nothing of it is Spring's. A file alone makes no Spring application: it may be another program's
 * @throws CONFIG_UNREADABLE, SETTING_INVALID
 */
export async function gatherProperties(
  fromArguments: readonly SpringProperty[],
  env: NodeJS.ProcessEnv,
  cwd: string,
  ownVariables: readonly string[],
): Promise<Sources | null> {
  const json = fromArguments.find(isApplicationJson)
  const jsonText = json?.value ?? env[JSON_VARIABLE] ?? env['spring.application.json'] ?? ''
  const told =
    fromArguments.length > 0 ||
    jsonText !== '' ||
    Object.entries(env).some(
      ([name, value = '']) => value !== '' && TELLTALE.test(name) && !isServiceLink(name, value),
    )
  if (!told) return null
  const fromJson =
    jsonText === '' ? [] : ofEntries(readApplicationJson(jsonText, JSON_VARIABLE), JSON_VARIABLE)
  const fromVariables = ofVariables(env, ownVariables)
  const strong = [
    ...fromArguments.filter((property) => !isApplicationJson(property)),
    ...fromJson,
    ...fromVariables,
  ]
  const files = await findPropertyFiles({
    cwd,
    location: valueOf(strong, 'spring.config.location'),
    additionalLocation: valueOf(strong, 'spring.config.additional-location'),
    name: valueOf(strong, 'spring.config.name'),
  })
  return {
    properties: [...strong, ...files.flatMap(ofFile)],
    files: files.map(({filepath}) => filepath),
  }
}

const isApplicationJson = ({elements}: SpringProperty) => elements.join('.') === 'spring.application.json'

const ofFile = ({filepath, entries}: PropertyFile) => ofEntries(entries, filepath)

/** `brokers[0]`, `brokers[1]` are one list. */
function ofEntries(entries: ReadonlyMap<string, string>, place: string): SpringProperty[] {
  const properties = new Map<string, SpringProperty>()
  for (const [written, value] of entries) {
    const isItem = /\[\d+\]$/.test(written)
    const elements = canonicalName(isItem ? written.replace(/\[\d+\]$/, '') : written)
    const key = elements.join('.')
    const before = isItem ? properties.get(key) : undefined
    properties.delete(key)
    properties.set(key, {
      elements,
      joins: false,
      written,
      source: `${written} in ${place}`,
      value: before === undefined ? value : `${before.value},${value}`,
    })
  }
  return [...properties.values()]
}

export function ofVariables(env: NodeJS.ProcessEnv, own: readonly string[]): SpringProperty[] {
  return Object.entries(env).flatMap(([written, value = '']) => {
    const {elements, joins} = elementsOfVariable(written)
    if (written === JSON_VARIABLE || elements.join('.') === 'spring.application.json') return []
    if (!RELEVANT.test(written) && !own.includes(elements.join(''))) return []
    return value === '' || isServiceLink(written, value)
      ? []
      : [{elements, joins, written, source: written, value}]
  })
}

/** The strongest value of a property; undefined when it was said nowhere. */
export function valueOf(properties: readonly SpringProperty[], name: string): string | undefined {
  return findProperty(properties, name)?.value
}

export function findProperty(
  properties: readonly SpringProperty[],
  name: string,
): SpringProperty | undefined {
  const pattern = canonicalName(name)
  return properties.find((property) => matchName(pattern, property) !== null)
}

/** A placeholder within one, within one, … ends somewhere; and so does a value made of many. */
const MAX_NESTING = 16
const MAX_LOOKUPS = 1_000

/**
 * `${name}`, `${name:default}`: another property, or a variable.
 * @throws SETTING_INVALID naming the property and the placeholder, never a value
 */
export function fillPlaceholders(
  property: SpringProperty,
  properties: readonly SpringProperty[],
  env: NodeJS.ProcessEnv,
): SpringProperty {
  let lookups = 0
  const fill = (text: string, depth: number): string => {
    if (depth > MAX_NESTING) throw unresolvable(property, 'refers to itself')
    let result = ''
    let position = 0
    for (;;) {
      const start = text.indexOf('${', position)
      if (start < 0) return result + text.slice(position)
      const end = closingBrace(text, start + 2)
      if (end < 0) return result + text.slice(position)
      if (text[start - 1] === '\\') {
        result += text.slice(position, start - 1) + text.slice(start, end + 1)
      } else {
        result += text.slice(position, start) + lookUp(text.slice(start + 2, end), depth)
      }
      position = end + 1
    }
  }
  const lookUp = (reference: string, depth: number): string => {
    if (++lookups > MAX_LOOKUPS) throw unresolvable(property, 'refers to too many others')
    const inner = fill(reference, depth + 1)
    const colon = inner.indexOf(':')
    const name = colon < 0 ? inner : inner.slice(0, colon)
    const value =
      findProperty(properties, name)?.value ?? env[name] ?? env[name.replaceAll(/[.-]/g, '_').toUpperCase()]
    if (value !== undefined) return fill(value, depth + 1)
    if (colon >= 0) return inner.slice(colon + 1)
    throw unresolvable(property, `refers to ${nameOnly(name)}, which is set nowhere`)
  }
  return property.value.includes('${') ? {...property, value: fill(property.value, 0)} : property
}

/** Of the placeholder that begins before `from`, with whole placeholders in it. */
function closingBrace(text: string, from: number): number {
  let depth = 1
  for (let i = from; i < text.length; i++) {
    if (text[i] === '{' && text[i - 1] === '$') depth += 1
    if (text[i] === '}' && --depth === 0) return i
  }
  return -1
}

const nameOnly = (name: string) => (/^[\w.-]{1,80}$/.test(name) ? `\${${name}}` : 'a placeholder')

const unresolvable = ({source}: SpringProperty, why: string) =>
  new StreamtoolError('SETTING_INVALID', `${source} ${why}.`, {
    suggestions: ['Set it, or give a default: ${name:default}'],
  })
