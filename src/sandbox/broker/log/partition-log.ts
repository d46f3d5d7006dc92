import {statSync} from 'node:fs'
import type {Logger} from '../../../core/ports/index.js'
import {Refusal} from '../protocol/errors.js'
import {BatchFile, type PlacedBatch} from './batch-file.js'
import {OffsetIndex} from './offset-index.js'
import {ProducerStates} from './producer-states.js'
import {checkProducedBatch, placeBatch, uncompressedRecords, type AppendLimits} from './record-batch.js'

export interface TimestampedOffset {
  readonly offset: number
  readonly timestampMs: number
}

/**
 * One partition: record batches kept verbatim, in one file.
 *
 * Durability: an append has been handed to the operating system before it is acknowledged, so it survives the
 * death of this process, kill -9 included. It is synced to the disk only on closing: a power cut can cost the
 * tail. Opening checks every batch's CRC and cuts off whatever stands behind the last intact one.
 * Nothing is ever removed by age or size; `deleteBefore` hides records without freeing their space.
 */
export class PartitionLog {
  readonly #file: BatchFile
  readonly #index = new OffsetIndex()
  readonly #producers = new ProducerStates()
  readonly #waiting = new Set<() => void>()
  #startOffset: number
  #endOffset = 0

  constructor(path: string, options: {readonly startOffset: number; readonly logger: Logger}) {
    const byteLength = statSync(path, {throwIfNoEntry: false})?.size ?? 0
    this.#file = new BatchFile(path, byteLength)
    this.#startOffset = options.startOffset
    this.#recover(path, options.logger)
  }

  /** The first offset that can be read. */
  get startOffset(): number {
    return Math.min(this.#startOffset, this.#endOffset)
  }

  /** The offset that the next record will have. */
  get endOffset(): number {
    return this.#endOffset
  }

  /**
   * @param batch ours from now on: the base offset is written into it
   * @returns the base offset; that of the first time, when an idempotent producer sends a batch again
   * @throws Refusal
   */
  append(batch: Buffer, limits: AppendLimits): number {
    const header = checkProducedBatch(batch, limits)
    const storedAt = this.#producers.check(header)
    if (storedAt !== null) return storedAt
    const baseOffset = this.#endOffset
    const position = this.#file.byteLength
    placeBatch(batch, baseOffset)
    this.#file.append(batch)
    this.#account({position, header: {...header, baseOffset, nextOffset: baseOffset + header.recordCount}})
    for (const wake of [...this.#waiting]) wake()
    return baseOffset
  }

  /**
   * Bytes from the batch that holds `offset` on, cut at `maxBytes` wherever that is, as Kafka does it: clients
   * drop a batch that is cut off. An incomplete first batch is of no use to anybody: it is sent whole when
   * `wholeFirstBatch`, else not at all.
   *
   * @throws Refusal OFFSET_OUT_OF_RANGE
   */
  read(offset: number, maxBytes: number, wholeFirstBatch: boolean): Buffer {
    const first = this.#batchAt(offset)
    if (first === null) return Buffer.alloc(0)
    const {position, header} = first
    if (header.byteLength > maxBytes && !wholeFirstBatch) return Buffer.alloc(0)
    return this.#file.read(position, Math.max(header.byteLength, maxBytes))
  }

  /**
   * How many bytes a read from `offset` could give.
   *
   * @throws Refusal OFFSET_OUT_OF_RANGE
   */
  readableBytes(offset: number): number {
    const first = this.#batchAt(offset)
    return first === null ? 0 : this.#file.byteLength - first.position
  }

  /**
   * The first record of this time or later; null when there is none. Inside a compressed batch the batch's first
   * record stands for it, which is never too late.
   */
  offsetSince(timestampMs: number): TimestampedOffset | null {
    const from = this.#index.positionAtOrBefore(this.startOffset)
    for (const section of this.#index.positionsSince(timestampMs, from)) {
      for (const {position, header} of this.#file.headersFrom(section)) {
        if (header.maxTimestampMs < timestampMs || header.nextOffset <= this.startOffset) continue
        const {baseOffset, baseTimestampMs} = header
        if (header.compression !== 0) return {offset: baseOffset, timestampMs: baseTimestampMs}
        for (const record of uncompressedRecords(this.#file.read(position, header.byteLength))) {
          const found = {
            offset: baseOffset + record.offsetDelta,
            timestampMs: baseTimestampMs + record.timestampDeltaMs,
          }
          if (found.timestampMs >= timestampMs && found.offset >= this.startOffset) return found
        }
      }
    }
    return null
  }

  /** @throws Refusal OFFSET_OUT_OF_RANGE */
  deleteBefore(offset: number): void {
    if (offset < 0 || offset > this.#endOffset) throw new Refusal('OFFSET_OUT_OF_RANGE')
    this.#startOffset = Math.max(this.#startOffset, offset)
  }

  /** Calls back at every append until the returned function is called. */
  onAppend(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => this.#waiting.delete(wake)
  }

  close(): void {
    this.#file.close()
  }

  #batchAt(offset: number): PlacedBatch | null {
    if (offset < this.startOffset || offset > this.#endOffset) throw new Refusal('OFFSET_OUT_OF_RANGE')
    if (offset === this.#endOffset) return null
    for (const placed of this.#file.headersFrom(this.#index.positionAtOrBefore(offset))) {
      if (placed.header.nextOffset > offset) return placed
    }
    return null
  }

  #account({position, header}: PlacedBatch): void {
    this.#index.add(header, position)
    this.#producers.record(header)
    this.#endOffset = header.nextOffset
  }

  #recover(path: string, logger: Logger): void {
    let intactBytes = 0
    for (const placed of this.#file.intactBatches()) {
      this.#account(placed)
      intactBytes = placed.position + placed.header.byteLength
    }
    const tornBytes = this.#file.byteLength - intactBytes
    if (tornBytes === 0) return
    this.#file.truncate(intactBytes)
    logger.warn(`cut ${tornBytes} bytes that are no intact record batch off the end of ${path}`, {
      path,
      tornBytes,
      endOffset: this.#endOffset,
    })
  }
}
