/**
 * The key of a file's object, from a template: text and names in braces.
 *
 *     {topic}  {path}  {subdir}  {name}  {stem}  {ext}  {sha512}  {yyyy}  {mm}  {dd}  {hh}
 *
 * {ext} has its dot, so {stem}{ext} is {name}. The date is that of the record that holds the file's first chunk, in UTC:
 * whoever reads the file again, in whatever order, gets the same key.
 *
 * Names come from anybody. A key never has an empty, `.` or `..` component, which programs that bring objects back
 * to a disk would follow, and never begins with a slash.
 */
import {createHash} from 'node:crypto'
import {StreamtoolError} from '../../core/errors.js'
import type {IncomingFile} from '../../core/ports/index.js'

const LONGEST_KEY_BYTES = 1024
/** Hexadecimal digits of the SHA-512 in the key of a further version. */
const VERSION_DIGITS = 12

type Part = {readonly text: string} | {readonly name: PlaceholderName}
type PlaceholderName = keyof typeof PLACEHOLDERS

const PLACEHOLDERS = {
  topic: ({topic}: IncomingFile) => topic,
  path: ({path}: IncomingFile) => path,
  subdir: ({subdir}: IncomingFile) => subdir,
  name: ({name}: IncomingFile) => name,
  stem: ({name}: IncomingFile) => splitName(name).stem,
  ext: ({name}: IncomingFile) => splitName(name).ext,
  sha512: ({sha512}: IncomingFile) => sha512.toString('hex'),
  yyyy: (file: IncomingFile) => dateOf(file).slice(0, 4),
  mm: (file: IncomingFile) => dateOf(file).slice(5, 7),
  dd: (file: IncomingFile) => dateOf(file).slice(8, 10),
  hh: (file: IncomingFile) => dateOf(file).slice(11, 13),
} as const

const DATE_NAMES: readonly PlaceholderName[] = ['yyyy', 'mm', 'dd', 'hh']

export interface KeyTemplate {
  /** Whether files of different paths can never have the same key. */
  readonly tellsPathsApart: boolean
  /** Whether enough of the file has been read. */
  isKnownOf(file: IncomingFile): boolean
  /** @throws OBJECT_REFUSED when it would be too long for a store */
  keyOf(file: IncomingFile): string
}

/**
 * @param prefix before every key, as it is
 * @throws SETTING_INVALID
 */
export function parseKeyTemplate(template: string, prefix: string): KeyTemplate {
  const parts = partsOf(template)
  const names = new Set(parts.flatMap((part) => ('name' in part ? [part.name] : [])))
  if (names.size === 0)
    throw invalid('it has nothing of the file in it, so all files would have the same key')
  checkText(prefix, '--prefix')
  for (const part of parts) if ('text' in part) checkText(part.text, '--key')
  const fixed = parts.map((part) => ('text' in part ? part.text : 'x')).join('')
  if (`${prefix}${fixed}`.startsWith('/')) throw invalid('a key does not begin with a slash')
  if (fixed.split('/').some((component) => component === '.' || component === '..'))
    throw invalid('it has a . or .. component')
  const isDated = DATE_NAMES.some((name) => names.has(name))
  const hasName = names.has('name') || (names.has('stem') && names.has('ext'))
  return {
    tellsPathsApart: names.has('path') || names.has('sha512') || (names.has('subdir') && hasName),
    isKnownOf: ({firstChunkMs}) => !isDated || firstChunkMs !== null,
    keyOf(file) {
      const raw = parts.map((part) => ('text' in part ? part.text : PLACEHOLDERS[part.name](file))).join('')
      const key = `${prefix}${components(raw).join('/')}`
      if (key !== '' && Buffer.byteLength(key) <= LONGEST_KEY_BYTES) return key
      throw new StreamtoolError(
        'OBJECT_REFUSED',
        `The key of ${file.path} would be longer than ${LONGEST_KEY_BYTES} bytes.`,
        {
          facts: {path: file.path},
          suggestions: ['Use a --key that is shorter, such as {topic}/{sha512}{ext}.'],
        },
      )
    },
  }
}

/** `scan.csv` -> `scan.0123456789ab.csv`: the same for the same content. */
export function versionedKey(key: string, {sha512}: Pick<IncomingFile, 'sha512'>): string {
  const slash = key.lastIndexOf('/') + 1
  const {stem, ext} = splitName(key.slice(slash))
  return `${key.slice(0, slash)}${stem}.${sha512.toString('hex').slice(0, VERSION_DIGITS)}${ext}`
}

/** Names what is written there, for the default group and the place of the journal. */
export function destinationId(...place: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(place)).digest('hex').slice(0, 12)
}

function partsOf(template: string): Part[] {
  const parts: Part[] = []
  for (const [token = '', name] of template.matchAll(/\{([^{}]*)\}|[^{}]+|[{}]/g)) {
    if (token === '{' || token === '}') throw invalid('a brace is left open')
    if (name === undefined) parts.push({text: token})
    else if (isPlaceholder(name)) parts.push({name})
    else
      throw invalid(
        `{${name}} is not known; known are ${Object.keys(PLACEHOLDERS)
          .map((known) => `{${known}}`)
          .join(' ')}`,
      )
  }
  return parts
}

const isPlaceholder = (name: string): name is PlaceholderName => Object.hasOwn(PLACEHOLDERS, name)

/** Empty components go: a file without a directory has an empty {subdir}. */
function components(raw: string): string[] {
  return raw
    .split('/')
    .filter((component) => component !== '')
    .map((component) =>
      component === '.' || component === '..' ? component.replaceAll('.', '%2E') : component,
    )
}

/** The extension begins at the last dot that is neither first nor last. */
function splitName(name: string): {stem: string; ext: string} {
  const dot = name.lastIndexOf('.')
  const end = dot > 0 && dot < name.length - 1 ? dot : name.length
  return {stem: name.slice(0, end), ext: name.slice(end)}
}

/** Of something that stays the same whenever the file is read again. */
function dateOf({firstChunkMs, mtimeMs}: IncomingFile): string {
  const ms = firstChunkMs !== null && firstChunkMs >= 0 ? firstChunkMs : (mtimeMs ?? 0)
  const date = new Date(ms)
  const year = date.getUTCFullYear()
  return (year >= 0 && year <= 9999 ? date : new Date(0)).toISOString()
}

function checkText(text: string, flag: string): void {
  if (/[\0-\x1f\x7f]/.test(text) || !text.isWellFormed())
    throw new StreamtoolError('SETTING_INVALID', `${flag} has a character that no key should have.`)
  if (text.split('/').some((component) => component === '..'))
    throw new StreamtoolError('SETTING_INVALID', `${flag} has a .. component.`)
}

const invalid = (why: string) =>
  new StreamtoolError('SETTING_INVALID', `--key cannot be used: ${why}.`, {
    suggestions: ['docs/s3.md says what a key is made of.'],
  })
