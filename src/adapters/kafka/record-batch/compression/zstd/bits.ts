/**
 * Zstandard's two ways of reading bits. Both take them from the low end of each byte; one goes forward and does not
 * leave its bytes, the other starts at the end, where a 1 marks the last bit, and reads zeros before the beginning:
 * whoever uses it looks at {@link BackwardBits.left} to see whether that happened.
 */
import type {Buffer} from 'node:buffer'
import {BatchFault} from '../../fault.js'

const WORD_BITS = 16

/** Up to 25 bits from a bit position on; zeros behind the end. */
function bitsAt(bytes: Buffer, position: number, count: number): number {
  const at = position >> 3
  const word =
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  return (word >>> (position & 7)) & ((1 << count) - 1)
}

export class ForwardBits {
  readonly #bytes: Buffer
  #position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Up to 16 bits. */
  read(count: number): number {
    const value = bitsAt(this.#bytes, this.#position, count)
    this.#position += count
    if (this.#position > this.#bytes.length * 8) throw new BatchFault('zstd: a table is cut short')
    return value
  }

  back(count: number): void {
    this.#position -= count
  }

  /** Whole bytes that were begun. */
  get bytesRead(): number {
    return (this.#position + 7) >> 3
  }
}

export class BackwardBits {
  readonly #bytes: Buffer
  /** Bits that are still to be read; negative when more was read than there was. */
  left: number

  constructor(bytes: Buffer) {
    const last = bytes.at(-1)
    if (last === undefined || last === 0) throw new BatchFault('zstd: a bit stream without an end mark')
    this.#bytes = bytes
    this.left = bytes.length * 8 - Math.clz32(last) + 23
  }

  /** Up to 31 bits. */
  read(count: number): number {
    this.left -= count
    return this.#at(this.left, count)
  }

  /** Up to 16 bits, left where they are. */
  peek(count: number): number {
    return this.#at(this.left - count, count)
  }

  #at(position: number, count: number): number {
    if (position < 0) {
      const missing = -position
      if (missing >= count) return 0
      return this.#at(position + missing, count - missing) * 2 ** missing
    }
    if (count <= WORD_BITS) return bitsAt(this.#bytes, position, count)
    const high = bitsAt(this.#bytes, position + WORD_BITS, count - WORD_BITS)
    return high * 2 ** WORD_BITS + bitsAt(this.#bytes, position, WORD_BITS)
  }
}
