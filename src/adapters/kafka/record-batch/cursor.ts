/**
 * Reads the variable-length numbers of a record and never leaves its bytes. Numbers are zigzag-coded in groups of
 * seven bits, lowest first, the top bit of each byte saying that another follows.
 */
import type {Buffer} from 'node:buffer'
import {BatchFault} from './fault.js'

const MAX_VARINT_SHIFT = 28
const MAX_VARLONG_BYTES = 10

export class Cursor {
  readonly #bytes: Buffer
  #position = 0
  #limit: number

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#limit = bytes.length
  }

  get remaining(): number {
    return this.#limit - this.#position
  }

  /** Reads a length, and lets nothing be read beyond that many bytes until {@link leave}. */
  enter(): void {
    const byteLength = this.varint()
    if (byteLength < 0 || byteLength > this.remaining) {
      throw new BatchFault(`a record claims ${byteLength} bytes where ${this.remaining} are left`)
    }
    this.#limit = this.#position + byteLength
  }

  leave(): void {
    if (this.#position !== this.#limit) throw new BatchFault(`a record has ${this.remaining} bytes too many`)
    this.#limit = this.#bytes.length
  }

  byte(): number {
    const byte = this.#position < this.#limit ? this.#bytes[this.#position] : undefined
    if (byte === undefined) throw new BatchFault('a record ends in the middle of a field')
    this.#position++
    return byte
  }

  /** 32 bits. */
  varint(): number {
    let value = 0
    for (let shift = 0; shift <= MAX_VARINT_SHIFT; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new BatchFault('a number has more than 32 bits')
  }

  /** 64 bits, as a double: exact up to 2^53, which is what times need. */
  varlong(): number {
    let value = 0
    let weight = 1
    for (let count = 0; count < MAX_VARLONG_BYTES; count++) {
      const byte = this.byte()
      value += (byte & 0x7f) * weight
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      weight *= 128
    }
    throw new BatchFault('a number has more than 64 bits')
  }

  /** A length, -1 for null, and that many bytes: a view. */
  nullableBytes(): Buffer | null {
    const byteLength = this.varint()
    if (byteLength === -1) return null
    if (byteLength < 0 || byteLength > this.remaining) {
      throw new BatchFault(`a field claims ${byteLength} bytes where ${this.remaining} are left`)
    }
    const start = this.#position
    this.#position += byteLength
    return this.#bytes.subarray(start, this.#position)
  }
}
