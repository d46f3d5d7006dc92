/**
 * Memory for large answers, used again: Fetch brings them by the hundred megabytes, and V8 answers fresh buffers with
 * collecting all garbage over and over. Capacities are powers of two, so that an answer fits where another one of about
 * its size lay; of what is not written to, the system needs no memory.
 */
import {Buffer} from 'node:buffer'

/** Less is not worth the trouble. */
const LEAST_BYTES = 256 * 1024

export class FrameMemory {
  readonly #free = new Map<number, ArrayBuffer[]>()
  #freeBytes = 0

  /** @param mostFreeBytes is kept for the next to come; no larger frame is used again */
  constructor(private readonly mostFreeBytes: number) {}

  /** Holds what it held before. */
  take(byteLength: number): Buffer {
    const capacity = capacityFor(byteLength)
    if (!this.#keeps(capacity)) return Buffer.allocUnsafeSlow(byteLength)
    const free = this.#free.get(capacity)?.pop()
    if (free === undefined) return Buffer.allocUnsafeSlow(capacity).subarray(0, byteLength)
    this.#freeBytes -= capacity
    return Buffer.from(free, 0, byteLength)
  }

  /** @param part any view into a frame of which nobody holds anything any more */
  give(part: Buffer): void {
    const memory = part.buffer
    const {byteLength} = memory
    const isOurs = memory instanceof ArrayBuffer && byteLength === capacityFor(byteLength)
    if (!isOurs || !this.#keeps(byteLength) || this.#freeBytes + byteLength > this.mostFreeBytes) return
    const free = this.#free.get(byteLength)
    if (free === undefined) this.#free.set(byteLength, [memory])
    else free.push(memory)
    this.#freeBytes += byteLength
  }

  #keeps(capacity: number): boolean {
    return capacity >= LEAST_BYTES && capacity <= this.mostFreeBytes
  }
}

const capacityFor = (byteLength: number): number => 2 ** Math.ceil(Math.log2(byteLength))
