/**
 * The head of a record batch, format 2 (https://kafka.apache.org/documentation/#recordbatch), 61 bytes:
 *
 *    0 int64 baseOffset            23 int32 lastOffsetDelta
 *    8 int32 batchLength           27 int64 baseTimestamp
 *   12 int32 partitionLeaderEpoch  35 int64 maxTimestamp
 *   16 int8  magic (2)             43 int64 producerId
 *   17 uint32 crc                  51 int16 producerEpoch
 *   21 int16 attributes            53 int32 baseSequence
 *                                  57 int32 recordsCount
 *
 * batchLength counts from 12 on, crc covers from 21 on. Attributes: bits 0–2 codec, 3 log-append time,
 * 4 transactional, 5 control.
 */
import type {Buffer} from 'node:buffer'
import {BatchFault} from './fault.js'

export const HEADER_BYTES = 61
/** Of the header, what batchLength does not count. */
export const LENGTH_PREFIX_BYTES = 12
export const LENGTH_POSITION = 8
export const CRC_POSITION = 17
export const CRC_START = 21
export const ATTRIBUTES_POSITION = 21
export const MAGIC = 2
const MAGIC_POSITION = 16

export interface BatchHeader {
  readonly baseOffset: number
  /** Whole batch, from its first byte to behind its last. */
  readonly byteLength: number
  readonly crc: number
  readonly codec: number
  readonly isLogAppendTime: boolean
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly lastOffset: number
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  readonly producerId: bigint
  readonly recordCount: number
}

/**
 * Reads the header at a position; null when the batch is not whole in there, as a broker may cut the last one.
 * @throws BatchFault
 */
export function readBatchHeader(bytes: Buffer, position: number): BatchHeader | null {
  if (position + LENGTH_PREFIX_BYTES > bytes.length) return null
  const byteLength = LENGTH_PREFIX_BYTES + bytes.readInt32BE(position + LENGTH_POSITION)
  if (byteLength < LENGTH_PREFIX_BYTES) throw new BatchFault('its length is negative')
  if (position + byteLength > bytes.length) return null
  if (byteLength <= MAGIC_POSITION) throw new BatchFault(`it has only ${byteLength} bytes`)
  const magic = bytes.readInt8(position + MAGIC_POSITION)
  if (magic !== MAGIC) {
    throw new BatchFault(`it is of format ${magic}; formats before 2 ended with Kafka 0.11`)
  }
  if (byteLength < HEADER_BYTES) throw new BatchFault(`it has only ${byteLength} bytes`)
  const attributes = bytes.readInt16BE(position + ATTRIBUTES_POSITION)
  const baseOffset = readOffset(bytes, position)
  const lastOffsetDelta = bytes.readInt32BE(position + 23)
  const recordCount = bytes.readInt32BE(position + 57)
  if (lastOffsetDelta < 0) throw new BatchFault(`its last offset delta is ${lastOffsetDelta}`)
  if (recordCount < 0) throw new BatchFault(`it claims ${recordCount} records`)
  return {
    baseOffset,
    byteLength,
    crc: bytes.readUInt32BE(position + CRC_POSITION),
    codec: attributes & 0x07,
    isLogAppendTime: (attributes & 0x08) !== 0,
    isTransactional: (attributes & 0x10) !== 0,
    isControl: (attributes & 0x20) !== 0,
    lastOffset: baseOffset + lastOffsetDelta,
    baseTimestampMs: Number(bytes.readBigInt64BE(position + 27)),
    maxTimestampMs: Number(bytes.readBigInt64BE(position + 35)),
    producerId: bytes.readBigInt64BE(position + 43),
    recordCount,
  }
}

function readOffset(bytes: Buffer, position: number): number {
  const offset = bytes.readInt32BE(position) * 2 ** 32 + bytes.readUInt32BE(position + 4)
  if (offset < 0 || offset > Number.MAX_SAFE_INTEGER - 2 ** 31)
    throw new BatchFault(`its offset is ${offset}`)
  return offset
}
