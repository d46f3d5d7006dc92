/**
 * Our own small quoting rules, by which a command line becomes words without a shell:
 *
 * - blanks and line ends separate words
 * - 'between single quotes' everything is as it stands
 * - "between double quotes" too, except that \" is a quote and \\ a backslash
 * - elsewhere a backslash takes the next character as it stands
 *
 * Nothing is expanded. What an unquoted character would have done in a shell is refused rather than passed on as text.
 */
import {StreamtoolError} from '../../core/errors.js'

const BLANK = /\s/
const SHELL_OPERATOR = /[|&;<>$`]/

/** @throws SETTING_INVALID */
export function splitWords(template: string): string[] {
  const words: string[] = []
  let word: string | null = null
  let at = 0
  while (at < template.length) {
    const char = template.charAt(at)
    if (BLANK.test(char)) {
      if (word !== null) words.push(word)
      word = null
      at += 1
    } else if (char === "'" || char === '"') {
      const quoted = readQuoted(template, at)
      word = (word ?? '') + quoted.text
      at = quoted.end
    } else if (char === '\\') {
      if (at + 1 === template.length) throw refused('it ends with a backslash')
      word = (word ?? '') + template.charAt(at + 1)
      at += 2
    } else {
      if (SHELL_OPERATOR.test(char) || (char === '~' && word === null)) throw forShells(char)
      word = (word ?? '') + char
      at += 1
    }
  }
  if (word !== null) words.push(word)
  return words
}

function readQuoted(template: string, start: number): {text: string; end: number} {
  const quote = template.charAt(start)
  let text = ''
  for (let at = start + 1; at < template.length; at++) {
    const char = template.charAt(at)
    if (char === quote) return {text, end: at + 1}
    const next = template.charAt(at + 1)
    if (quote === '"' && char === '\\' && (next === '"' || next === '\\')) {
      text += next
      at += 1
    } else text += char
  }
  throw refused(`the quote that is opened by ${template.slice(start, start + 12)} is never closed`)
}

export function refused(what: string, ...suggestions: string[]): StreamtoolError {
  return new StreamtoolError('SETTING_INVALID', `--exec cannot be used: ${what}.`, {
    facts: {setting: 'exec'},
    suggestions,
  })
}

const forShells = (char: string): StreamtoolError =>
  refused(
    `${char} would be for a shell, and none is used`,
    `Quote it ('${char}') when the program is to get it as it stands.`,
    'Add --exec-shell to have the command run by `sh -c`; the facts of the file are then in its environment ' +
      '("$STREAMTOOL_FILE_PATH").',
  )
