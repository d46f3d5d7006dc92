/**
 * The record headers that streamtool adds to a chunk. All values are UTF-8 text:
 *
 *     streamtool               1, the version of these headers
 *     streamtool-upload        UUID of this upload of this file; of version 7, so that it tells when it began
 *     streamtool-size          bytes in the whole file, decimal
 *     streamtool-crc32         CRC-32 of the whole file, base64 of 4 bytes big-endian
 *     streamtool-partitioning  `file`: all chunks of the file are in this partition
 *     streamtool-meta-<key>    user metadata
 *
 * They only ever help: a header that is missing or makes no sense is as good as none, and the file is still
 * verified by its SHA-512.
 */
import type {RecordHeader} from '../record.js'
import type {ChunkHeaders} from './chunk.js'

export const HEADER = {
  version: 'streamtool',
  upload: 'streamtool-upload',
  size: 'streamtool-size',
  crc32: 'streamtool-crc32',
  partitioning: 'streamtool-partitioning',
  metadataPrefix: 'streamtool-meta-',
} as const

const VERSION = '1'
const UPLOAD_ID = /^[0-9a-f-]{36}$/
const DECIMAL = /^(0|[1-9]\d{0,15})$/
const CRC32_BASE64 = /^[A-Za-z0-9+/]{6}==$/
/** What is read of all these headers together, at most: how many, and bytes of keys and values. */
const MAX_HEADERS = 64
const MAX_HEADER_BYTES = 8192

export const NO_HEADERS: ChunkHeaders = {
  uploadId: null,
  sizeBytes: null,
  crc32: null,
  partitionedByFile: false,
  metadata: {},
}

export function encodeHeaders(headers: ChunkHeaders): RecordHeader[] {
  const out: RecordHeader[] = []
  const add = (key: string, text: string) => out.push({key, value: Buffer.from(text)})
  if (headers.uploadId === null) return out
  add(HEADER.version, VERSION)
  add(HEADER.upload, headers.uploadId)
  if (headers.sizeBytes !== null) add(HEADER.size, String(headers.sizeBytes))
  if (headers.crc32 !== null) add(HEADER.crc32, headers.crc32.toString('base64'))
  if (headers.partitionedByFile) add(HEADER.partitioning, 'file')
  for (const [key, value] of Object.entries(headers.metadata)) add(HEADER.metadataPrefix + key, value)
  return out
}

/** Never throws; of a header that comes twice the first counts. */
export function decodeHeaders(headers: readonly RecordHeader[]): ChunkHeaders {
  const text = textByKey(headers)
  if (text.get(HEADER.version) !== VERSION) return NO_HEADERS
  const upload = text.get(HEADER.upload)
  const size = text.get(HEADER.size)
  const crc32 = text.get(HEADER.crc32)
  return {
    uploadId: upload !== undefined && UPLOAD_ID.test(upload) ? upload : null,
    sizeBytes: size !== undefined && DECIMAL.test(size) ? Number(size) : null,
    crc32: crc32 !== undefined && CRC32_BASE64.test(crc32) ? Buffer.from(crc32, 'base64') : null,
    partitionedByFile: text.get(HEADER.partitioning) === 'file',
    metadata: metadataOf(text),
  }
}

function textByKey(headers: readonly RecordHeader[]): Map<string, string> {
  const text = new Map<string, string>()
  let bytes = 0
  for (const {key, value} of headers) {
    if (value === null || !key.startsWith(HEADER.version) || text.has(key)) continue
    bytes += key.length + value.length
    if (bytes > MAX_HEADER_BYTES || text.size >= MAX_HEADERS) break
    text.set(key, value.toString('utf8'))
  }
  return text
}

function metadataOf(text: ReadonlyMap<string, string>): Record<string, string> {
  // No prototype: a key may be `__proto__`.
  const metadata = Object.create(null) as Record<string, string>
  for (const [key, value] of text) {
    if (key.startsWith(HEADER.metadataPrefix)) metadata[key.slice(HEADER.metadataPrefix.length)] = value
  }
  return metadata
}
