import type {OutgoingRecord} from '../../../core/ports/index.js'

const BATCH_HEADER_BYTES = 61

/**
 * The size of an uncompressed record batch (message format v2), which is what max.message.bytes limits.
 *
 *     record := bodyBytes:varint attributes:int8 timestampDelta:varlong offsetDelta:varint
 *               key:bytes value:bytes headerCount:varint (headerKey:bytes headerValue:bytes)*
 *     bytes  := length:varint (-1 for null) data
 */
export function recordBatchBytes(records: readonly OutgoingRecord[], nowMs: number): number {
  const firstMs = records[0]?.timestampMs ?? nowMs
  let total = BATCH_HEADER_BYTES
  for (const [index, record] of records.entries()) {
    let body = 1 + varintBytes((record.timestampMs ?? nowMs) - firstMs) + varintBytes(index)
    body += lengthPrefixedBytes(record.key?.length) + lengthPrefixedBytes(valueBytes(record))
    body += varintBytes(record.headers.length)
    for (const {key, value} of record.headers)
      body += lengthPrefixedBytes(Buffer.byteLength(key)) + lengthPrefixedBytes(value?.length)
    total += varintBytes(body) + body
  }
  return total
}

function valueBytes({value}: OutgoingRecord): number | undefined {
  return value?.reduce((sum, part) => sum + part.length, 0)
}

function lengthPrefixedBytes(length: number | undefined): number {
  return length === undefined ? varintBytes(-1) : varintBytes(length) + length
}

/** Zigzag: the sign is the lowest bit; seven bits a byte. */
function varintBytes(value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let bytes = 1
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes++
  return bytes
}
