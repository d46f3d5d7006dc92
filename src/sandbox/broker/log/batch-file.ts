import {closeSync, constants, fsyncSync, ftruncateSync, openSync, readSync, writeSync} from 'node:fs'
import {
  batchByteLength,
  BATCH_HEADER_BYTES,
  isIntact,
  readBatchHeader,
  type BatchHeader,
} from './record-batch.js'

export interface PlacedBatch {
  readonly position: number
  readonly header: BatchHeader
}

/**
 * A file of record batches, one behind the other, nothing in between. All of it is synchronous on purpose: the
 * page cache answers in microseconds, and order and atomicity of appends then need no lock.
 */
export class BatchFile {
  readonly #fd: number
  #byteLength: number
  #isOpen = true
  #isSynced = true

  constructor(path: string, byteLength: number) {
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    this.#byteLength = byteLength
  }

  get byteLength(): number {
    return this.#byteLength
  }

  /** What a failed append (a full disk) has left behind the end, the next one overwrites. */
  append(batch: Buffer): void {
    this.#isSynced = false
    for (let written = 0; written < batch.length;) {
      written += writeSync(this.#fd, batch, written, batch.length - written, this.#byteLength + written)
    }
    this.#byteLength += batch.length
  }

  truncate(byteLength: number): void {
    ftruncateSync(this.#fd, byteLength)
    this.#byteLength = byteLength
  }

  read(position: number, byteLength: number): Buffer {
    // Not from the pool, and not zeroed: answers are large and short-lived.
    const bytes = Buffer.allocUnsafeSlow(Math.min(byteLength, this.#byteLength - position))
    let have = 0
    while (have < bytes.length) {
      const count = readSync(this.#fd, bytes, have, bytes.length - have, position + have)
      if (count === 0)
        throw new Error(`the file ends at ${position + have}, expected ${this.#byteLength} bytes`)
      have += count
    }
    return bytes
  }

  /** The headers of the batches from `position` on, which must be the start of one. */
  *headersFrom(position: number): Generator<PlacedBatch> {
    const WINDOW_BYTES = 16_384
    let window: Buffer = Buffer.alloc(0)
    let windowStart = position
    while (position + BATCH_HEADER_BYTES <= this.#byteLength) {
      if (position + BATCH_HEADER_BYTES > windowStart + window.length) {
        window = this.read(position, WINDOW_BYTES)
        windowStart = position
      }
      const header = readBatchHeader(window, position - windowStart)
      if (header.byteLength < BATCH_HEADER_BYTES) throw new Error(`no record batch at ${position} any more`)
      yield {position, header}
      position += header.byteLength
    }
  }

  /** Like {@link headersFrom} from 0 on, but ends where the file stops being a sequence of intact batches. */
  *intactBatches(): Generator<PlacedBatch> {
    const WINDOW_BYTES = 4 * 1024 * 1024
    let window: Buffer = Buffer.alloc(0)
    let start = 0
    for (let position = 0, nextOffset = 0; ;) {
      const load = (byteLength: number): boolean => {
        if (position + byteLength <= start + window.length) return true
        if (position + byteLength > this.#byteLength) return false
        window = this.read(position, Math.max(byteLength, WINDOW_BYTES))
        start = position
        return true
      }
      if (!load(BATCH_HEADER_BYTES)) return
      const byteLength = batchByteLength(window, position - start)
      if (byteLength < BATCH_HEADER_BYTES || !load(byteLength)) return
      const batch = window.subarray(position - start, position - start + byteLength)
      const header = readBatchHeader(batch)
      if (header.baseOffset !== nextOffset || !isIntact(batch)) return
      yield {position, header}
      nextOffset = header.nextOffset
      position += byteLength
    }
  }

  /** Once: the number of a closed file is soon another file's. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    try {
      if (!this.#isSynced) fsyncSync(this.#fd)
    } finally {
      closeSync(this.#fd)
    }
  }
}
