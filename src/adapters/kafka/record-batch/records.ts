/**
 * The records of one batch, uncompressed (https://kafka.apache.org/documentation/#record):
 *
 *   varint length | int8 attributes | varlong timestampDelta | varint offsetDelta
 *   | varint keyLength, key | varint valueLength, value
 *   | varint headerCount, each: varint keyLength, key (UTF-8) | varint valueLength, value
 *
 * A length of -1 is null. Keys and values are views.
 */
import type {Buffer} from 'node:buffer'
import type {ConsumedRecord, RecordHeader, TopicPartition} from '../../../core/record.js'
import {Cursor} from './cursor.js'
import {BatchFault} from './fault.js'
import type {BatchHeader} from './header.js'

/** A record without key, value and headers. */
const SMALLEST_RECORD_BYTES = 7
const SMALLEST_HEADER_BYTES = 2

/**
 * Only the records from `fromOffset` on.
 * @throws BatchFault
 */
export function readRecords(
  body: Buffer,
  header: BatchHeader,
  {topic, partition}: TopicPartition,
  fromOffset: number,
): ConsumedRecord[] {
  if (header.recordCount > body.length / SMALLEST_RECORD_BYTES) {
    throw new BatchFault(`it claims ${header.recordCount} records in ${body.length} bytes`)
  }
  const cursor = new Cursor(body)
  const records: ConsumedRecord[] = []
  let previousOffset = header.baseOffset - 1
  for (let index = 0; index < header.recordCount; index++) {
    cursor.enter()
    cursor.byte() // attributes: none are defined
    const timestampDelta = cursor.varlong()
    const offset = header.baseOffset + cursor.varint()
    if (offset <= previousOffset || offset > header.lastOffset) {
      throw new BatchFault(`record ${index} has offset ${offset} after ${previousOffset}`)
    }
    previousOffset = offset
    const key = cursor.nullableBytes()
    const value = cursor.nullableBytes()
    const headers = readHeaders(cursor)
    cursor.leave()
    if (offset < fromOffset) continue
    const timestampMs = header.isLogAppendTime
      ? header.maxTimestampMs
      : header.baseTimestampMs + timestampDelta
    const record = {topic, partition, offset, timestampMs, key, value, headers}
    records.push(header.isLogAppendTime ? {...record, isLogAppendTime: true} : record)
  }
  if (cursor.remaining > 0) throw new BatchFault(`${cursor.remaining} bytes follow its last record`)
  return records
}

const NO_HEADERS: readonly RecordHeader[] = []

function readHeaders(cursor: Cursor): readonly RecordHeader[] {
  const count = cursor.varint()
  if (count === 0) return NO_HEADERS
  if (count < 0 || count > cursor.remaining / SMALLEST_HEADER_BYTES) {
    throw new BatchFault(`a record claims ${count} headers in ${cursor.remaining} bytes`)
  }
  const headers: RecordHeader[] = []
  for (let index = 0; index < count; index++) {
    const key = cursor.nullableBytes()
    if (key === null) throw new BatchFault('a record has a header without a key')
    headers.push({key: key.toString('utf8'), value: cursor.nullableBytes()})
  }
  return headers
}
