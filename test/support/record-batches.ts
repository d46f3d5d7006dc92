import {crc32cByTables} from '../../src/adapters/system/crc32c.js'
import {encodeRecordBatch} from '../../src/adapters/kafka/record-batch/encode.js'
import type {OutgoingRecord} from '../../src/core/record.js'

export const plainRecord = (value: string): OutgoingRecord => ({
  key: null,
  value: [Buffer.from(value)],
  headers: [],
})

export interface BatchDetails {
  readonly baseOffset?: number
  readonly lastOffsetDelta?: number
  readonly codec?: number
  readonly isLogAppendTime?: boolean
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly producerId?: bigint
  readonly maxTimestampMs?: number
  readonly recordCount?: number
  readonly magic?: number
  /** Instead of the records: the bytes behind the header. */
  readonly body?: Buffer
}

/** A batch as a broker would hand it out, with whatever is to be wrong with it; its CRC is right. */
export function batchOf(records: readonly OutgoingRecord[], details: BatchDetails = {}): Buffer {
  const encoded = Buffer.concat(encodeRecordBatch(records, {nowMs: 1_700_000_000_000}).buffers)
  const batch = details.body === undefined ? encoded : Buffer.concat([encoded.subarray(0, 61), details.body])
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeBigInt64BE(BigInt(details.baseOffset ?? 0), 0)
  if (details.magic !== undefined) batch.writeInt8(details.magic, 16)
  batch.writeInt16BE(
    (details.codec ?? 0) |
      (details.isLogAppendTime === true ? 0x08 : 0) |
      (details.isTransactional === true ? 0x10 : 0) |
      (details.isControl === true ? 0x20 : 0),
    21,
  )
  if (details.lastOffsetDelta !== undefined) batch.writeInt32BE(details.lastOffsetDelta, 23)
  if (details.maxTimestampMs !== undefined) batch.writeBigInt64BE(BigInt(details.maxTimestampMs), 35)
  if (details.producerId !== undefined) batch.writeBigInt64BE(details.producerId, 43)
  if (details.recordCount !== undefined) batch.writeInt32BE(details.recordCount, 57)
  return resealed(batch)
}

/** With the CRC of what is now in it. */
export function resealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32cByTables(batch.subarray(21)), 17)
  return batch
}

/** The marker that ends a transaction. */
export function markerOf(type: 'commit' | 'abort', producerId: bigint, baseOffset: number): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'commit' ? 1 : 0])
  return batchOf([{key, value: [Buffer.alloc(6)], headers: []}], {
    baseOffset,
    producerId,
    isControl: true,
    isTransactional: true,
  })
}
