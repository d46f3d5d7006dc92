import {describe, expect, it} from 'vitest'
import {globMatcher} from '../../../src/cli/glob.js'
import {pathFilter} from '../../../src/cli/path-filter.js'

const matches = (pattern: string, path: string) => globMatcher(pattern)(path)

describe('a pattern', () => {
  it.each([
    ['*.csv', 'a.csv', true],
    ['*.csv', 'deep/er/a.csv', true],
    ['*.csv', 'a.csv.gz', false],
    ['a/*.csv', 'a/x.csv', true],
    ['a/*.csv', 'a/b/x.csv', false],
    ['a/*.csv', 'b/x.csv', false],
    ['run_*/**', 'run_1/a.csv', true],
    ['run_*/**', 'run_1/b/c/a.csv', true],
    ['run_*/**', 'other/run_1/a.csv', false],
    ['**/run_*/**', 'other/run_1/a.csv', true],
    ['**/x', 'x', true],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['./a/**', 'a/b', true],
    ['/a/**', 'a/b', true],
    ['a/', 'a/b/c', true],
    ['**', 'any/thing\nat all', true],
    ['*', '.hidden', true],
    ['data-[0-9][!a-z].bin', 'data-1A.bin', true],
    ['data-[0-9][!a-z].bin', 'data-1a.bin', false],
    ['[]]', ']', true],
    ['?.txt', '😀.txt', true],
    ['*.{csv,txt}', 'a.txt', true],
    ['{a,b{c,d}}/*', 'bd/x', true],
    ['{a,b{c,d}}/*', 'b/x', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\{b,c', 'a{b,c', true],
    ['*a*b*c', 'xaxbxbxc', true],
    ['*a*b*c', 'xaxcxb', false],
    ['', 'a', false],
  ])('%s of %s: %s', (pattern, path, expected) => {
    expect(matches(pattern, path)).toBe(expected)
  })

  it('takes no time over a name that was made to take hours', () => {
    expect(matches('*_*_*_*_*_*.csv', '_'.repeat(4000))).toBe(false)
    expect(matches('**/a/**/a/**/a/**/b', 'a/'.repeat(2000))).toBe(false)
  })

  it.each(['[a', '{a,b', 'a\\', '{a,b}'.repeat(10)])('%s is refused', (pattern) => {
    expect(() => pathFilter({include: [pattern], exclude: undefined})).toThrow(
      expect.objectContaining({code: 'SETTING_INVALID'}),
    )
  })
})

describe('the filter', () => {
  const filter = (include?: string[], exclude?: string[]) => pathFilter({include, exclude})

  it('is none without patterns', () => {
    expect(filter()).toBeNull()
  })

  it('takes what is included and not excluded', () => {
    const wants = filter(['*.csv', 'keep/**'], ['keep/not/**'])!
    expect(['a.csv', 'keep/a', 'keep/not/a', 'b.txt'].map(wants)).toEqual([true, true, false, false])
    expect(['a.csv', 'b.log'].map(filter(undefined, ['*.log'])!)).toEqual([true, false])
  })

  it('puts together what a list has taken apart at commas', () => {
    const wants = filter(['*.{csv', 'txt}', 'c\\', 'd'])!
    expect(['a.csv', 'a.txt', 'c,d', 'd'].map(wants)).toEqual([true, true, true, false])
  })
})
