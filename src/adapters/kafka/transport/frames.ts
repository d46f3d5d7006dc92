/**
 * Cuts a byte stream into Kafka's frames:
 *
 *   int32 size | size bytes
 *
 * Each frame has memory of its own for as long as anybody needs it (frame-memory.ts). What is left of a large one is read
 * from the socket right into its place, which spares a copy and, more than that, the buffers in between: V8 answers
 * megabytes of them with collecting garbage over and over. The size is checked before anything is reserved for it.
 */
import {Buffer} from 'node:buffer'
import type {FrameMemory} from './frame-memory.js'

/** Larger than any sane answer, and less than the first bytes of a TLS alert (0x15030300) read as a size. */
export const MAX_FRAME_BYTES = 300 * 1024 * 1024
const SIZE_BYTES = 4
/** Where sizes and small frames are read, many at once. */
const STAGE_BYTES = 64 * 1024
/** Less than this is not worth a read of its own. */
const DIRECT_BYTES = 16 * 1024

const NOTHING = Buffer.alloc(0)

export class FrameReader {
  readonly #sizePrefix = Buffer.alloc(SIZE_BYTES)
  #sizePrefixFilled = 0
  #frame: Buffer | null = null
  #frameFilled = 0
  #stage: Buffer | null = null
  #readsDirectly = false

  /** @param memory for the frames; fresh memory for each when null */
  constructor(private readonly memory: FrameMemory | null = null) {}

  /** Where the next bytes of the stream are to be put: then {@link wrote} says how many there are. */
  nextRead(): Buffer {
    this.#readsDirectly = this.#frame !== null && this.#frame.length - this.#frameFilled >= DIRECT_BYTES
    if (this.#readsDirectly && this.#frame !== null) return this.#frame.subarray(this.#frameFilled)
    return (this.#stage ??= Buffer.allocUnsafeSlow(STAGE_BYTES))
  }

  /**
   * @param count bytes that were put where {@link nextRead} said
   * @returns the frames that these completed
   * @throws RangeError when what comes cannot be Kafka; the connection is of no use then
   */
  wrote(count: number): Buffer[] {
    if (!this.#readsDirectly) return this.push((this.#stage ?? NOTHING).subarray(0, count))
    this.#frameFilled += count
    const complete = this.#takeComplete()
    return complete === null ? [] : [complete]
  }

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
      const frame = this.#takeComplete()
      if (frame !== null) complete.push(frame)
    }
    return complete
  }

  #takeComplete(): Buffer | null {
    const frame = this.#frame
    if (frame === null || this.#frameFilled < frame.length) return null
    this.#frame = null
    return frame
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
    this.#frame = this.memory?.take(size) ?? Buffer.allocUnsafeSlow(size)
    this.#frameFilled = 0
    return copied
  }
}
