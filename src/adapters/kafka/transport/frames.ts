/**
 * Cuts a byte stream into Kafka's frames:
 *
 *   int32 size | size bytes
 *
 * Each frame is copied once, into memory of its own. The size is checked before anything is reserved for it.
 */
import {Buffer} from 'node:buffer'

/** Larger than any sane answer, and less than the first bytes of a TLS alert (0x15030300) read as a size. */
export const MAX_FRAME_BYTES = 300 * 1024 * 1024
const SIZE_BYTES = 4

export class FrameReader {
  readonly #sizePrefix = Buffer.alloc(SIZE_BYTES)
  #sizePrefixFilled = 0
  #frame: Buffer | null = null
  #frameFilled = 0

  /**
   * @returns the frames that this chunk completed
   * @throws RangeError when what comes cannot be Kafka; the connection is of no use then
   */
  push(chunk: Buffer): Buffer[] {
    const complete: Buffer[] = []
    let position = 0
    while (position < chunk.length) {
      if (this.#frame === null) {
        position += this.#readSize(chunk, position)
        continue
      }
      const copied = chunk.copy(this.#frame, this.#frameFilled, position)
      position += copied
      this.#frameFilled += copied
      if (this.#frameFilled === this.#frame.length) {
        complete.push(this.#frame)
        this.#frame = null
      }
    }
    return complete
  }

  #readSize(chunk: Buffer, position: number): number {
    const copied = chunk.copy(this.#sizePrefix, this.#sizePrefixFilled, position)
    this.#sizePrefixFilled += copied
    if (this.#sizePrefixFilled < SIZE_BYTES) return copied
    const size = this.#sizePrefix.readInt32BE(0)
    if (size < SIZE_BYTES || size > MAX_FRAME_BYTES) {
      throw new RangeError(`a frame of ${size} bytes (starts with ${this.#sizePrefix.toString('hex')})`)
    }
    this.#sizePrefixFilled = 0
    this.#frame = Buffer.allocUnsafeSlow(size)
    this.#frameFilled = 0
    return copied
  }
}
