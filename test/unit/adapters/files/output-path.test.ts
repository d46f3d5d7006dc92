import {describe, expect, it} from 'vitest'
import {outputComponents} from '../../../../src/adapters/files/output-path.js'

describe('outputComponents', () => {
  it('splits an ordinary path', () => {
    expect(outputComponents('a/b c/ä\\"%.bin', 'linux')).toEqual(['a', 'b c', 'ä\\"%.bin'])
  })

  it.each([
    '',
    '/etc/passwd',
    '../x',
    'a/../../x',
    'a/..',
    './a',
    'a//b',
    'a/',
    'a\0b',
    '.streamtool/group',
    'a/.streamtool/x',
  ])('refuses %j', (hostile) => {
    expect(() => outputComponents(hostile, 'linux')).toThrow(
      expect.objectContaining({code: 'FILE_NAME_CONFLICT', facts: {path: hostile}}),
    )
  })

  it.each(['a\\..\\..\\x', 'C:x', 'a/b:stream', 'con', 'a/NUL.txt', 'com1', 'a.', 'a ', 'what?', 'a/\u0007'])(
    'refuses %j on Windows',
    (hostile) => {
      expect(() => outputComponents(hostile, 'win32')).toThrow(
        expect.objectContaining({code: 'FILE_NAME_CONFLICT'}),
      )
      expect(outputComponents(hostile, 'linux').join('/')).toBe(hostile)
    },
  )
})
