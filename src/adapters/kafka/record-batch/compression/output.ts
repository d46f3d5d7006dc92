/**
 * Where LZ4 and Snappy write: bytes, and copies of bytes already written (which may overlap what they write). It
 * grows as it is filled, never beyond the limit.
 */
import {Buffer} from 'node:buffer'
import {BatchFault} from '../fault.js'

const SMALLEST_BYTES = 64 * 1024

export class BoundedOutput {
  readonly #maxBytes: number
  #buffer: Buffer
  #length = 0

  /** @param expectedBytes is a hint, and is not believed beyond what can be: it may be a lie */
  constructor(maxBytes: number, expectedBytes: number) {
    this.#maxBytes = maxBytes
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(maxBytes, Math.max(SMALLEST_BYTES, expectedBytes)))
  }

  get length(): number {
    return this.#length
  }

  append(source: Buffer, start: number, end: number): void {
    if (start < 0 || end < start || end > source.length)
      throw new BatchFault('compressed bytes are cut short')
    this.#makeRoom(end - start)
    source.copy(this.#buffer, this.#length, start, end)
    this.#length += end - start
  }

  /** Copies `byteLength` bytes that begin `distance` before the end, which may still be to be written. */
  repeat(distance: number, byteLength: number, floor = 0): void {
    const start = this.#length - distance
    if (distance <= 0 || start < floor) throw new BatchFault('compressed bytes refer to before their start')
    this.#makeRoom(byteLength)
    const end = this.#length + byteLength
    if (distance >= byteLength) {
      this.#buffer.copyWithin(this.#length, start, start + byteLength)
    } else {
      // The source grows with each round, so each one copies twice as much.
      let copied = 0
      while (copied < byteLength) {
        const now = Math.min(byteLength - copied, distance + copied)
        this.#buffer.copyWithin(this.#length + copied, start, start + now)
        copied += now
      }
    }
    this.#length = end
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  #makeRoom(byteLength: number): void {
    const needed = this.#length + byteLength
    if (needed > this.#maxBytes) throw new BatchFault(`it inflates to more than ${this.#maxBytes} bytes`)
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(needed, this.#buffer.length * 2)))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
