/** `--include` and `--exclude`: which files, by their paths on the topic (glob.ts says how patterns are written). */
import {StreamtoolError} from '../core/errors.js'
import {globMatcher} from './glob.js'

export interface Patterns {
  readonly include: readonly string[] | undefined
  readonly exclude: readonly string[] | undefined
}

/**
 * @returns null when there are no patterns: every file is wanted
 * @throws SETTING_INVALID
 */
export function pathFilter({include, exclude}: Patterns): ((path: string) => boolean) | null {
  if (include === undefined && exclude === undefined) return null
  const included = matcherOf('--include', include)
  const excluded = matcherOf('--exclude', exclude)
  return (path) => (included === null || included(path)) && !(excluded?.(path) ?? false)
}

function matcherOf(flag: string, parts: readonly string[] | undefined): ((path: string) => boolean) | null {
  if (parts === undefined) return null
  const matchers = rejoin(parts).map((pattern) => {
    try {
      return globMatcher(pattern)
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown)
      throw new StreamtoolError('SETTING_INVALID', `${flag} ${pattern} is not a pattern: ${reason}.`, {
        suggestions: [`Quote it for the shell: ${flag} '*.csv' ${flag} 'run_*/**'`],
      })
    }
  })
  return (path) => matchers.some((matches) => matches(path))
}

/** A list is separated by commas; what stands in braces, or behind a backslash, is not. */
function rejoin(parts: readonly string[]): string[] {
  const patterns: string[] = []
  for (const part of parts) {
    const last = patterns.at(-1)
    if (last !== undefined && (last.endsWith('\\') || count(last, '{') > count(last, '}')))
      patterns.splice(-1, 1, `${last},${part}`)
    else patterns.push(part)
  }
  return patterns
}

const count = (text: string, character: string) => text.split(character).length - 1
