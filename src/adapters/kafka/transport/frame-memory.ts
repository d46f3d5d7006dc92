/**
 * Memory for large answers, used again: Fetch brings them by the hundred megabytes, and V8 answers fresh buffers with
 * collecting all garbage over and over. Capacities are rounded up, so that an answer fits where another one of about its
 * size lay; of what is not written to, the system needs no memory.
 */
import {Buffer} from 'node:buffer'

/** Less is not worth the trouble. */
const LEAST_BYTES = 256 * 1024
const STEPS_PER_DOUBLING = 4

export class FrameMemory {
  /** Smallest first. */
  #free: ArrayBuffer[] = []
  #freeBytes = 0
  readonly #mostFreeBytes: number

  /** @param frameBytes of the largest frame that is used again; no more than one such is kept for the next to come */
  constructor(frameBytes: number) {
    this.#mostFreeBytes = capacityFor(Math.max(frameBytes, LEAST_BYTES))
  }

  /** Holds what it held before. */
  take(byteLength: number): Buffer {
    if (byteLength < LEAST_BYTES || byteLength > this.#mostFreeBytes)
      return Buffer.allocUnsafeSlow(byteLength)
    const at = this.#free.findIndex((memory) => memory.byteLength >= byteLength)
    const [free] = at < 0 ? [] : this.#free.splice(at, 1)
    if (free === undefined) return Buffer.allocUnsafeSlow(capacityFor(byteLength)).subarray(0, byteLength)
    this.#freeBytes -= free.byteLength
    return Buffer.from(free, 0, byteLength)
  }

  /** Larger frames drive out smaller ones. @param part any view into a frame of which nobody holds anything any more */
  give(part: Buffer): void {
    const memory = part.buffer
    const {byteLength} = memory
    const isOurs = memory instanceof ArrayBuffer && byteLength === capacityFor(byteLength)
    if (!isOurs || byteLength < LEAST_BYTES || byteLength > this.#mostFreeBytes) return
    while (this.#freeBytes + byteLength > this.#mostFreeBytes) {
      const [smallest] = this.#free
      if (smallest === undefined || smallest.byteLength >= byteLength) return
      this.#free.shift()
      this.#freeBytes -= smallest.byteLength
    }
    this.#freeBytes += byteLength
    this.#free = [...this.#free, memory].sort((a, b) => a.byteLength - b.byteLength)
  }
}

/** The next quarter of the way from one power of two to the next. */
function capacityFor(byteLength: number): number {
  const step = 2 ** Math.floor(Math.log2(byteLength)) / STEPS_PER_DOUBLING
  return Math.ceil(byteLength / step) * step
}
