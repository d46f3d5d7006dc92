import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {StreamtoolError} from '../../../../src/core/errors.js'
import {splitWords} from '../../../../src/processors/exec/words.js'

describe('splitWords', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['  ', []],
    ['python3 analyse.py {path}', ['python3', 'analyse.py', '{path}']],
    ['a\n  b\t c', ['a', 'b', 'c']],
    [`'one word' "and another"`, ['one word', 'and another']],
    [`--title='a b'c"d e"`, ['--title=a bcd e']],
    [`'' ""`, ['', '']],
    [`'it'\\''s'`, ["it's"]],
    [`"say \\"x\\" \\\\ \\n $HOME"`, ['say "x" \\ \\n $HOME']],
    [`'\\"$(rm)'`, ['\\"$(rm)']],
    ['a\\ b \\$x', ['a b', '$x']],
    ['* ? [a] # !x {path} a~', ['*', '?', '[a]', '#', '!x', '{path}', 'a~']],
  ])('%j', (template, words) => {
    expect(splitWords(template)).toEqual(words)
  })

  it.each(['a | b', 'a > b', 'a;b', 'a && b', 'cp $X y', 'a `b`', 'a < b', '~/bin/x'])(
    'refuses what a shell would have done: %s',
    (template) => {
      expect(() => splitWords(template)).toThrow(/would be for a shell, and none is used/)
    },
  )

  it.each(["a 'b", 'a "b', 'a "b\\"', 'a \\'])('refuses what has no end: %s', (template) => {
    expect(() => splitWords(template)).toThrow(StreamtoolError)
  })

  it('gives back any words that were put into single quotes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({unit: 'binary', maxLength: 20}), {maxLength: 5}), (words) => {
        const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
        expect(splitWords(quoted.join(' '))).toEqual(words)
      }),
    )
  })
})
