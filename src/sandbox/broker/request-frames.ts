import {WireError} from './protocol/wire-reader.js'

/** Apache Kafka's socket.request.max.bytes. */
const MAX_REQUEST_BYTES = 100 * 1024 * 1024
const SIZE_FIELD_BYTES = 4

/**
 * Cuts what a socket delivers into requests: `size(int32) request`. Memory grows with what has really arrived,
 * never with what a size field promises.
 */
export class RequestFrames {
  #chunks: Buffer[] = []
  #byteLength = 0

  get byteLength(): number {
    return this.#byteLength
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#byteLength += chunk.length
  }

  /**
   * The next request, when all of it is here. Its bytes are nobody else's.
   *
   * @throws WireError when the size is impossible
   */
  take(): Buffer | null {
    if (this.#byteLength < SIZE_FIELD_BYTES) return null
    const requestBytes = this.#gather(SIZE_FIELD_BYTES).readInt32BE(0)
    if (requestBytes < 0 || requestBytes > MAX_REQUEST_BYTES) {
      throw new WireError(`a request of ${requestBytes} bytes; is this a Kafka client?`)
    }
    const frameBytes = SIZE_FIELD_BYTES + requestBytes
    if (this.#byteLength < frameBytes) return null
    const all = this.#gather(frameBytes)
    this.#byteLength -= frameBytes
    if (this.#byteLength === 0) this.#chunks = []
    else this.#chunks[0] = all.subarray(frameBytes)
    return all.subarray(SIZE_FIELD_BYTES, frameBytes)
  }

  /** The first chunk, made large enough to hold this much. */
  #gather(byteLength: number): Buffer {
    const [first] = this.#chunks
    if (first !== undefined && first.length >= byteLength) return first
    const gathered = Buffer.concat(this.#chunks)
    this.#chunks = [gathered]
    return gathered
  }
}
