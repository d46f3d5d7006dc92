/** Programs that run text as code: what is known of how they are called. */
import {basename} from 'node:path'

const INTERPRETER = /^(sh|bash|dash|zsh|ksh|ash|fish|python[\d.]*|node|perl|ruby|Rscript)$/
/** `-c`, `-lc`; `-e`, `-pe`, `--eval` … */
const CODE_FOLLOWS = /^(-[a-zA-Z]*[ce]|-p|--eval|--print|--command)$/

/** Whether a word is a program's text: `sh -c WORD`, `env python3 -u -c WORD`. */
export function isInlineCode(words: readonly string[], at: number): boolean {
  const interpreter = words.slice(0, at).findLastIndex(isInterpreter)
  const options = words.slice(interpreter + 1, at)
  const areOptions = options.every((word) => word.startsWith('-'))
  return interpreter >= 0 && areOptions && CODE_FOLLOWS.test(options.at(-1) ?? '')
}

/** The script of `python3 -u analyse.py …`; null when there is none, or when an option might have an argument. */
export function scriptOf(program: string, fixedArguments: readonly string[]): string | null {
  if (!isInterpreter(program)) return null
  const [script] = fixedArguments.filter((word) => !HARMLESS_OPTION.test(word))
  return script === undefined || script.startsWith('-') ? null : script
}
const HARMLESS_OPTION = /^(-[uBEIO]+|--)$/

const isInterpreter = (word: string): boolean => INTERPRETER.test(basename(word))
