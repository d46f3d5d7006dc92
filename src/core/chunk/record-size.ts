/** How large a record becomes in a record batch (Kafka's format v2), so that a batch never exceeds its limit. */
import type {OutgoingRecord} from '../record.js'

export const RECORD_BATCH_HEADER_BYTES = 61
/** Length, attributes, timestamp and offset deltas, the lengths of key and value, the header count: all varints. */
const RECORD_FIXED_BYTES = 40
const HEADER_FIXED_BYTES = 10

export function recordBytesUpperBound(record: OutgoingRecord): number {
  let bytes = RECORD_FIXED_BYTES + (record.key?.length ?? 0)
  for (const part of record.value ?? []) bytes += part.length
  for (const {key, value} of record.headers) {
    bytes += HEADER_FIXED_BYTES + Buffer.byteLength(key) + (value?.length ?? 0)
  }
  return bytes
}
