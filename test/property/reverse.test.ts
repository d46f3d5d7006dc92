import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {graphemesOf, reverseText, reverseValue} from '../../src/core/relay/index.js'

/** What is hard to keep whole, and what joins with its neighbours. */
const PIECES = [
  ...['a', 'Z', ' ', '\n', '\r\n', '\r', 'é', 'e\u0301', 'a\u0323\u0302', '\u0301', 'ß', '漢'],
  ...[
    '👍',
    '👍🏽',
    '👨‍👩‍👧‍👦',
    '🏳️‍🌈',
    '🇩🇪',
    '🇫🇷',
    '🇩',
    '1️⃣',
    '❤️',
    '\u200d',
    '한',
    '\u1112\u1161\u11ab',
    'กำ',
    'नि',
    'क्षि',
  ],
]
const mixed = fc.array(fc.constantFrom(...PIECES), {maxLength: 40}).map((pieces) => pieces.join(''))

describe('reversing text', () => {
  it('has the same graphemes, each whole, in the other order', () => {
    fc.assert(
      fc.property(mixed, (text) => {
        const graphemes = graphemesOf(text)
        expect(graphemes.join('')).toBe(text)
        expect(reverseText(text)).toBe([...graphemes].reverse().join(''))
      }),
      {numRuns: 10_000},
    )
  })

  it('is its own inverse wherever what meets does not join', () => {
    let stable = 0
    fc.assert(
      fc.property(mixed, (text) => {
        const reversed = reverseText(text)
        const isStable = graphemesOf(reversed).join('|') === graphemesOf(text).reverse().join('|')
        if (!isStable) return
        stable += 1
        expect(reverseText(reversed)).toBe(text)
      }),
      {numRuns: 2_000},
    )
    expect(stable).toBeGreaterThan(200)
  })

  it('leaves bytes as they are where neighbours join: flags are counted from the left, accents seek a letter', () => {
    // D E F reads as the flag DE and an F; reversed, F D reads as another pair. No byte is lost.
    expect(graphemesOf('🇩🇪🇫')).toEqual(['🇩🇪', '🇫'])
    expect(reverseText('🇩🇪🇫')).toBe('🇫🇩🇪')
    expect(reverseText('\u0301a')).toBe('a\u0301')
    expect(reverseText('a\r\nb')).toBe('b\r\na')
    expect(reverseText('hello world')).toBe('dlrow olleh')
  })

  it('takes bytes that are no UTF-8 only when told', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 60}), (array) => {
        const bytes = Buffer.from(array)
        expect(reverseValue(bytes, 'byte')).toEqual(Buffer.from(bytes).reverse())
        const reversed = reverseValue(bytes, 'grapheme')
        if (reversed === null)
          expect(reverseValue(bytes, 'grapheme-or-byte')).toEqual(Buffer.from(bytes).reverse())
        else expect(reversed.toString()).toBe(reverseText(bytes.toString()))
      }),
      {numRuns: 500},
    )
    expect(reverseValue(Buffer.from([0xff]), 'grapheme')).toBeNull()
  })
})
