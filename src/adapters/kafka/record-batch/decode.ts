/**
 * Reads what a Fetch answer holds of one partition. Anything can be in there: every length is held against the
 * bytes that are there before it is believed, and the CRC of each batch is checked before anything else of it is.
 */
import type {Buffer} from 'node:buffer'
import {StreamtoolError} from '../../../core/errors.js'
import type {ConsumedRecord} from '../../../core/record.js'
import {AbortedTransactions} from './aborted.js'
import {crc32c} from '../../system/crc32c.js'
import {UnknownCodec, decompress} from './compression/index.js'
import {BatchFault} from './fault.js'
import {CRC_START, HEADER_BYTES, readBatchHeader} from './header.js'
import type {BatchHeader} from './header.js'
import {readRecords} from './records.js'
import type {DecodedRecordSet, RecordSet} from './types.js'

/** Of one batch, uncompressed. Producers fill a few MiB at most; more than this is meant to hurt. */
export const MAX_INFLATED_BYTES = 128 * 1024 * 1024
/** Of all batches together, uncompressed: after so much the rest is left for another call. */
export const ENOUGH_INFLATED_BYTES = 64 * 1024 * 1024

/**
 * @throws BATCH_CORRUPT or CODEC_UNKNOWN, naming topic, partition and offset. Thrown only when the first batch
 *   that matters is the bad one; when good ones came before it, these are answered and the next call throws.
 */
export async function decodeRecordSet(set: RecordSet): Promise<DecodedRecordSet> {
  const aborted = new AbortedTransactions(set.abortedTransactions)
  const batches: (readonly ConsumedRecord[])[] = []
  let nextOffset = set.fromOffset
  let batchCount = 0
  let position = 0
  let inflatedBytes = 0
  try {
    while (inflatedBytes < ENOUGH_INFLATED_BYTES) {
      const header = readBatchHeader(set.bytes, position)
      if (header === null) break
      const bytes = set.bytes.subarray(position, position + header.byteLength)
      const batch = await readBatch(header, bytes, set, aborted)
      batches.push(batch.records)
      inflatedBytes += batch.inflatedBytes
      nextOffset = Math.max(nextOffset, header.lastOffset + 1)
      batchCount++
      position += header.byteLength
    }
  } catch (error) {
    if (nextOffset === set.fromOffset) throw describeFault(error, set, position)
  }
  return {records: batches.length === 1 ? (batches[0] ?? []) : batches.flat(), nextOffset, batchCount}
}

const NOTHING = {records: [], inflatedBytes: 0}

async function readBatch(
  header: BatchHeader,
  bytes: Buffer,
  set: RecordSet,
  aborted: AbortedTransactions,
): Promise<{records: readonly ConsumedRecord[]; inflatedBytes: number}> {
  const crc = crc32c(bytes.subarray(CRC_START))
  if (crc !== header.crc) throw new BatchFault(`its CRC is ${hex(crc)} instead of ${hex(header.crc)}`)
  const body = bytes.subarray(HEADER_BYTES)
  aborted.reach(header)
  if (header.isControl) {
    aborted.end(header, body)
    return NOTHING
  }
  const nothingToSee = header.lastOffset < set.fromOffset || header.recordCount === 0 || aborted.hides(header)
  if (nothingToSee) return NOTHING
  const inflated = await decompress(header.codec, body, MAX_INFLATED_BYTES)
  return {
    records: readRecords(inflated, header, set, set.fromOffset),
    inflatedBytes: inflated.length,
  }
}

function describeFault(error: unknown, set: RecordSet, position: number): unknown {
  const offset =
    set.bytes.length >= position + 8 ? Number(set.bytes.readBigInt64BE(position)) : set.fromOffset
  const where = `${set.topic}, partition ${set.partition}, offset ${offset}`
  const facts = {topic: set.topic, partition: set.partition, offset}
  if (error instanceof UnknownCodec) {
    return new StreamtoolError(
      'CODEC_UNKNOWN',
      `${where}: the record batch is compressed with ${error.message}`,
      {
        facts,
        suggestions: [
          'set compression.type of the producer (or the topic) to none, gzip, snappy, lz4 or zstd',
        ],
      },
    )
  }
  if (error instanceof BatchFault) {
    const message = `${where}: the record batch cannot be read: ${error.message}`
    return new StreamtoolError('BATCH_CORRUPT', message, {facts})
  }
  return error
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0')
