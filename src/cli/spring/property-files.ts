/**
 * Where Spring Boot looks for `application.properties` and `application.yml`: in the working directory and its
 * `config`, the latter winning; `spring.config.location` names other places, `spring.config.additional-location`
 * further ones, and `spring.config.name` another name. With the working directory `/`, as in the container image,
 * that includes `/config`, which is where Data Flow writes INSTANCE_INDEX for an application with several instances.
 */
import {readFile} from 'node:fs/promises'
import {extname, join, resolve} from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import {flatten} from './application-json.js'
import {readProperties} from './application-properties.js'

export interface PropertyFile {
  readonly filepath: string
  readonly entries: ReadonlyMap<string, string>
}

export interface Places {
  readonly cwd: string
  /** What the user says about places, as in the properties of these names; undefined when nothing. */
  readonly location: string | undefined
  readonly additionalLocation: string | undefined
  readonly name: string | undefined
}

/** In one place, those named first win. */
const EXTENSIONS = ['.properties', '.yml', '.yaml']

/**
 * The strongest first.
 * @throws CONFIG_UNREADABLE also when a place that was named has none, unless it is `optional:`
 */
export async function findPropertyFiles(places: Places): Promise<PropertyFile[]> {
  const {location, additionalLocation} = places
  const usual = location === undefined ? ['optional:./', 'optional:./config/'] : split(location)
  const found: PropertyFile[] = []
  for (const place of [...usual, ...split(additionalLocation ?? '')])
    found.unshift(...(await filesOf(place, places)))
  return found
}

const split = (list: string) =>
  list.split(/[,;]/).flatMap((item) => (item.trim() === '' ? [] : [item.trim()]))

async function filesOf(place: string, {cwd, name = 'application'}: Places): Promise<PropertyFile[]> {
  const isOptional = place.startsWith('optional:')
  const path = pathOf(place.replace(/^optional:/, ''), cwd)
  const isDirectory = place.endsWith('/')
  const candidates = isDirectory ? EXTENSIONS.map((extension) => join(path, name + extension)) : [path]
  const found: PropertyFile[] = []
  for (const filepath of candidates) {
    const text = await textOf(filepath)
    if (text !== null) found.push({filepath, entries: await entriesOf(filepath, text)})
  }
  if (found.length === 0 && !isOptional)
    throw unreadable(path, 'cannot be found, and spring.config.location names it', [
      'Put optional: before it when it need not be there.',
    ])
  return found
}

function pathOf(place: string, cwd: string): string {
  if (place.startsWith('classpath:'))
    return resolve(cwd, place.slice('classpath:'.length).replace(/^\/+/, ''))
  if (place.startsWith('file://')) return resolve('/', place.replace(/^file:\/\/[^/]*/, ''))
  return resolve(cwd, place.replace(/^file:/, ''))
}

/** Null when it is not there. */
async function textOf(filepath: string): Promise<string | null> {
  try {
    return await readFile(filepath, 'utf8')
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw unreadable(filepath, `cannot be read (${code ?? 'unknown'})`)
  }
}

async function entriesOf(filepath: string, text: string): Promise<ReadonlyMap<string, string>> {
  if (extname(filepath) === '.properties' || !EXTENSIONS.includes(extname(filepath)))
    return readProperties(text)
  const {loadYaml} = await import('cosmiconfig/dist/loaders.js')
  let parsed: unknown
  try {
    parsed = loadYaml(filepath, text)
  } catch {
    throw unreadable(filepath, 'is not YAML of one document')
  }
  return typeof parsed === 'object' && parsed !== null ? flatten(parsed, filepath) : new Map()
}

const unreadable = (filepath: string, what: string, suggestions: readonly string[] = []) =>
  new StreamtoolError('CONFIG_UNREADABLE', `${filepath} ${what}.`, {suggestions})
