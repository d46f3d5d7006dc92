/**
 * A command line with placeholders, read once and checked before anything is consumed. Names of files come from
 * anybody. A placeholder only ever fills in text within the word that it stands in, so no name becomes a second
 * argument; a word that a name turns into an option is refused, and so is one that an interpreter would run as code.
 */
import {basename, extname} from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import {isPlaceholder, PLACEHOLDERS, type Facts, type Placeholder} from './facts.js'
import {isInlineCode} from './interpreters.js'
import {refused, splitWords} from './words.js'

/** Text as it stands, or what is to be filled in. */
type Part = string | {readonly placeholder: Placeholder}
type Word = readonly Part[]

export interface ExecCommand {
  /** Made of the program and its script, for the default output directory: `python3-analyse`. */
  readonly name: string
  readonly program: string
  /** Words that are the same for each file, and come before the first that is not. */
  readonly fixedArguments: readonly string[]
  /** It names the file, so the content must lie in one; otherwise the content is its standard input. */
  readonly takesPath: boolean
  /** @throws PROCESSING_FAILED when a name would become an option */
  argumentsFor(facts: Facts): string[]
}

/**
 * @param shell the command is run by `sh -c` as it stands, and knows the file from its environment
 * @throws SETTING_INVALID
 */
export function parseExec(template: string, {shell}: {shell: boolean}): ExecCommand {
  return shell ? shellCommand(template) : plainCommand(template)
}

function shellCommand(command: string): ExecCommand {
  if (command.trim() === '') throw refused('it is empty')
  const placeholder = [...command.matchAll(PLACEHOLDER)].find(([, , name]) => isPlaceholder(name ?? ''))
  if (placeholder) {
    throw refused(
      `with --exec-shell nothing is filled in for ${placeholder[0]}, because a shell would run what stands in it`,
      'Use the variables of the environment, in double quotes: "$STREAMTOOL_FILE_PATH".',
    )
  }
  return {
    name: slug(command),
    program: 'sh',
    fixedArguments: ['-c', command],
    takesPath: command.includes('STREAMTOOL_FILE_PATH'),
    argumentsFor: () => ['-c', command],
  }
}

function plainCommand(template: string): ExecCommand {
  const texts = splitWords(template)
  const [program] = texts
  if (program === undefined || program === '') throw refused('it names no program')
  const words = texts.map(partsOf)
  const changing = words.findIndex((word) => word.some(isFilledIn))
  if (changing === 0) throw refused('which program is run must not depend on the file')
  checkNoCode(texts, words)
  const fixed = words.slice(1, changing < 0 ? undefined : changing).map((word) => textOf(word, null))
  return {
    name: nameOf(program, fixed),
    program: textOf(words[0] ?? [], null),
    fixedArguments: fixed,
    takesPath: words.some((word) => word.some((part) => isFilledIn(part) && part.placeholder === 'path')),
    argumentsFor: (facts) => fillIn(words.slice(1), facts),
  }
}

const isFilledIn = (part: Part): part is Exclude<Part, string> => typeof part !== 'string'

/** `{name}` is filled in; `{{name}}` is the text `{name}`. */
const PLACEHOLDER = /\{\{([A-Za-z]\w*)\}\}|\{([A-Za-z]\w*)\}/g

function partsOf(text: string): Word {
  if (text === '{}') throw unknownPlaceholder(text)
  const parts: Part[] = []
  let end = 0
  for (const match of text.matchAll(PLACEHOLDER)) {
    const [whole, literal, name] = match
    if (match.index > end) parts.push(text.slice(end, match.index))
    end = match.index + whole.length
    if (literal !== undefined) parts.push(`{${literal}}`)
    else if (name !== undefined && isPlaceholder(name)) parts.push({placeholder: name})
    else throw unknownPlaceholder(whole)
  }
  if (end < text.length) parts.push(text.slice(end))
  return parts
}

const unknownPlaceholder = (text: string): StreamtoolError =>
  refused(
    `nothing is known to fill in for ${text}`,
    `These are known: ${PLACEHOLDERS.map((name) => `{${name}}`).join(' ')}.`,
    ...(text === '{}' ? [] : [`Write {${text}} when the program is to get ${text} as it stands.`]),
  )

/** @param facts null when there is nothing to be filled in */
function textOf(word: Word, facts: Facts | null): string {
  let text = ''
  for (const part of word) text += isFilledIn(part) ? (facts?.[part.placeholder] ?? '') : part
  return text
}

function checkNoCode(texts: readonly string[], words: readonly Word[]): void {
  const code = words.findIndex((word, at) => word.some(isFilledIn) && isInlineCode(texts, at))
  if (code < 0) return
  throw refused(
    `"${texts[code] ?? ''}" is code for ${texts[0] ?? ''}, and would run what stands in the name of a file`,
    'Let the code take the facts from its environment instead: STREAMTOOL_FILE_PATH and others.',
  )
}

function fillIn(words: readonly Word[], facts: Facts): string[] {
  let optionsAreOver = false
  return words.map((word) => {
    const text = textOf(word, facts)
    const [first] = word
    if (!optionsAreOver && first !== undefined && isFilledIn(first) && text.startsWith('-')) {
      throw optionByName(text, first.placeholder, facts.relative_path)
    }
    optionsAreOver ||= text === '--'
    return text
  })
}

const optionByName = (text: string, placeholder: Placeholder, path: string): StreamtoolError =>
  new StreamtoolError(
    'PROCESSING_FAILED',
    `{${placeholder}} of ${path} is "${text}", which the program would take for an option.`,
    {
      facts: {path},
      suggestions: [
        `Put -- before {${placeholder}} in --exec, or --name={${placeholder}}, or let the program read the variable ` +
          'of the environment.',
      ],
    },
  )

/** Of two scripts for one interpreter each has an output directory, and so a consumer group, of its own. */
function nameOf(program: string, fixedArguments: readonly string[]): string {
  const script = fixedArguments.find((word) => !word.startsWith('-'))
  return slug([program, ...(script === undefined ? [] : [script])].map(stem).join('-'))
}
const stem = (path: string): string => basename(path, extname(path))
const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 40) || 'exec'
