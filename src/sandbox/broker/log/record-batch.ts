import {Refusal} from '../protocol/errors.js'
import {int64At} from '../protocol/wire-reader.js'
import {writeInt64At} from '../protocol/wire-writer.js'
import {crc32c} from './crc32c.js'

/**
 * A record batch of format version 2 (https://kafka.apache.org/documentation/#recordbatch):
 * ```
 *  0 base_offset int64            21 attributes int16           43 producer_id int64
 *  8 length int32, from 12 on     23 last_offset_delta int32    51 producer_epoch int16
 * 12 partition_leader_epoch       27 base_timestamp int64       53 base_sequence int32
 * 16 magic int8, 2                35 max_timestamp int64        57 record_count int32
 * 17 crc uint32, of all from 21 on                              61 records
 * ```
 * The base offset and the leader epoch are the broker's to write; the CRC leaves them out for that reason.
 */
export const BATCH_HEADER_BYTES = 61
const LENGTH_FIELD_END = 12
const CRC_START = 21

const COMPRESSION_MASK = 0x07
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

export interface BatchHeader {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly byteLength: number
  readonly compression: number
  readonly maxTimestampMs: number
  readonly baseTimestampMs: number
  readonly recordCount: number
  /** -1 when the producer is not idempotent. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

/** The bytes of the batch that starts here, when there are at least 12; what they say may be nonsense. */
export function batchByteLength(bytes: Buffer, position = 0): number {
  return LENGTH_FIELD_END + bytes.readInt32BE(position + 8)
}

/** @param bytes at least {@link BATCH_HEADER_BYTES} from `position` on */
export function readBatchHeader(bytes: Buffer, position = 0): BatchHeader {
  const baseOffset = int64At(bytes, position)
  return {
    baseOffset,
    nextOffset: baseOffset + bytes.readInt32BE(position + 23) + 1,
    byteLength: batchByteLength(bytes, position),
    compression: bytes.readInt16BE(position + 21) & COMPRESSION_MASK,
    baseTimestampMs: int64At(bytes, position + 27),
    maxTimestampMs: int64At(bytes, position + 35),
    producerId: int64At(bytes, position + 43),
    producerEpoch: bytes.readInt16BE(position + 51),
    baseSequence: bytes.readInt32BE(position + 53),
    recordCount: bytes.readInt32BE(position + 57),
  }
}

/** What the broker writes into a batch that it accepts. */
export function placeBatch(batch: Buffer, baseOffset: number): void {
  writeInt64At(batch, baseOffset, 0)
  batch.writeInt32BE(0, LENGTH_FIELD_END)
}

export function isIntact(batch: Buffer): boolean {
  return (
    batch.length >= BATCH_HEADER_BYTES &&
    batchByteLength(batch) === batch.length &&
    batch[16] === 2 &&
    crc32c(batch.subarray(CRC_START)) === batch.readUInt32BE(17)
  )
}

export interface AppendLimits {
  readonly maxMessageBytes: number
  /** No record may claim a later time. */
  readonly latestTimestampMs: number
}

/**
 * The checks that Apache Kafka makes on what a producer sends for one partition: exactly one intact batch.
 *
 * @throws Refusal
 */
export function checkProducedBatch(batch: Buffer, limits: AppendLimits): BatchHeader {
  if (batch.length < BATCH_HEADER_BYTES) throw new Refusal('INVALID_RECORD', 'no record batch')
  if (batch[16] !== 2) throw new Refusal('INVALID_RECORD', 'the record batch is not of format version 2')
  const header = readBatchHeader(batch)
  if (header.byteLength !== batch.length) throw new Refusal('INVALID_RECORD', 'not exactly one record batch')
  if (batch.length > limits.maxMessageBytes) throw new Refusal('MESSAGE_TOO_LARGE')
  if (!isIntact(batch)) throw new Refusal('CORRUPT_MESSAGE')
  const attributes = batch.readInt16BE(CRC_START)
  if (attributes & CONTROL) throw new Refusal('INVALID_RECORD', 'clients may not write control records')
  if (attributes & TRANSACTIONAL) throw new Refusal('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  if (header.recordCount < 1 || header.nextOffset - header.baseOffset !== header.recordCount) {
    throw new Refusal('INVALID_RECORD', 'the record count contradicts the last offset')
  }
  if (header.maxTimestampMs > limits.latestTimestampMs) throw new Refusal('INVALID_TIMESTAMP')
  if (header.compression === 0) checkRecords(batch, header)
  return header
}

function checkRecords(batch: Buffer, header: BatchHeader): void {
  let expectedDelta = 0
  let end = BATCH_HEADER_BYTES
  for (const record of uncompressedRecords(batch)) {
    if (record.offsetDelta !== expectedDelta++)
      throw new Refusal('INVALID_RECORD', 'record offsets with a gap')
    end = record.end
  }
  if (expectedDelta !== header.recordCount || end !== batch.length) {
    throw new Refusal('INVALID_RECORD', 'the records do not fill their batch')
  }
}

/**
 * `length(varint) attributes(int8) timestamp_delta(varlong) offset_delta(varint) key value headers`; stops where a
 * record does not fit.
 */
export function* uncompressedRecords(batch: Buffer) {
  let position = BATCH_HEADER_BYTES
  /** Zigzag; NaN past the end. A double holds what matters of a varlong exactly. */
  const varint = (): number => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = batch[position++]
      if (byte === undefined || factor > 2 ** 63) return Number.NaN
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
  }
  while (position < batch.length) {
    const length = varint()
    const end = position + length
    if (!(length > 0 && end <= batch.length)) return
    position += 1
    const timestampDeltaMs = varint()
    yield {timestampDeltaMs, offsetDelta: varint(), end}
    position = end
  }
}
