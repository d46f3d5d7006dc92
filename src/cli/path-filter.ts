/** `--include` and `--exclude`: which files, by their paths on the topic. */
import {StreamtoolError} from '../core/errors.js'

/** A pattern with a slash is of the whole path, one without of the name alone; names that begin with a dot count. */
const OPTIONS = {dot: true, basename: true, nonegate: true, strictBrackets: true}

export interface Patterns {
  readonly include: readonly string[] | undefined
  readonly exclude: readonly string[] | undefined
}

/**
 * @returns null when there are no patterns: every file is wanted
 * @throws SETTING_INVALID
 */
export async function pathFilter({include, exclude}: Patterns): Promise<((path: string) => boolean) | null> {
  if (include === undefined && exclude === undefined) return null
  const {default: picomatch} = await import('picomatch')
  const matcher = (
    name: string,
    patterns: readonly string[] | undefined,
    without: boolean,
  ): ((path: string) => boolean) => {
    if (patterns === undefined) return () => without
    try {
      return picomatch(rejoinBraces(patterns), OPTIONS)
    } catch (thrown) {
      throw new StreamtoolError(
        'SETTING_INVALID',
        `${name} is not a pattern: ${thrown instanceof Error ? thrown.message : String(thrown)}.`,
        {suggestions: [`Quote it for the shell: ${name} '*.csv' ${name} 'run_*/**'`]},
      )
    }
  }
  const included = matcher('--include', include, true)
  const excluded = matcher('--exclude', exclude, false)
  return (path) => included(path) && !excluded(path)
}

/** A list is separated by commas, and so is what stands in braces: `*.{csv,txt}` is one pattern. */
function rejoinBraces(parts: readonly string[]): string[] {
  const patterns: string[] = []
  for (const part of parts) {
    const last = patterns.at(-1)
    if (last !== undefined && count(last, '{') > count(last, '}')) patterns.splice(-1, 1, `${last},${part}`)
    else patterns.push(part)
  }
  return patterns
}

const count = (text: string, character: string) => text.split(character).length - 1
