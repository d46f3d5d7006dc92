/**
 * Text backwards, by what a reader takes for a character: an emoji of seven code points, a letter with its accents and
 * a CR LF stay whole (grapheme clusters, Unicode TR29, as this Node knows them).
 *
 * Reversed clusters are put next to others than before, and Unicode may join what meets: `é` written as an accent at
 * the very start and a letter after it, or flags, which are pairs of letters counted from the left. So reversing the
 * answer once more gives the text itself whenever the answer has the same clusters, which nearly all text does.
 */
import {isUtf8} from 'node:buffer'
import {StreamtoolError} from '../errors.js'
import type {RecordTransform} from './transform.js'
import {forwarded, withValue} from './transform.js'

/** What is reversed: graphemes, of which bytes that are no UTF-8 have none; those by bytes; all by bytes. */
export type ReverseBy = 'grapheme' | 'grapheme-or-byte' | 'byte'

/** Made when it is needed: that takes tens of milliseconds. */
let segmenter: Intl.Segmenter | null = null
const CARRIAGE_RETURN = 0x0d

export function graphemesOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter('und', {granularity: 'grapheme'})
  return Array.from(segmenter.segment(text), ({segment}) => segment)
}

export const reverseText = (text: string): string => graphemesOf(text).reverse().join('')

const reverseBytes = (bytes: Buffer): Buffer => Buffer.from(bytes).reverse()

/** @returns null when it is no UTF-8 and is not to be taken by bytes */
export function reverseValue(value: Buffer, by: ReverseBy): Buffer | null {
  if (by === 'byte' || isPlain(value)) return reverseBytes(value)
  if (isUtf8(value)) return Buffer.from(reverseText(value.toString('utf8')))
  return by === 'grapheme-or-byte' ? reverseBytes(value) : null
}

/** Every byte is a cluster of its own: ASCII, of which only CR LF is joined. */
function isPlain(value: Buffer): boolean {
  for (const byte of value) if (byte >= 0x80 || byte === CARRIAGE_RETURN) return false
  return true
}

export function reversing(by: ReverseBy): RecordTransform {
  return {
    name: 'reverse',
    transform(record) {
      if (record.value === null) return forwarded(record)
      const reversed = reverseValue(record.value, by)
      if (reversed === null) throw notText()
      return withValue(record, reversed)
    },
    close: async () => undefined,
  }
}

const notText = () =>
  new StreamtoolError('RECORD_FAILED', 'its value is not UTF-8, so it has no text to reverse', {
    suggestions: ['--reverse-by grapheme-or-byte reverses the bytes of such records.'],
  })
