/** Chunk records for tests, made by the real encoder. */
import {createHash} from 'node:crypto'
import {
  type Chunk,
  type ChunkHeaders,
  encodeChunk,
  FileDigest,
  splitPlan,
  splitWirePath,
} from '../../src/core/chunk/index.js'
import type {OutgoingRecord} from '../../src/core/record.js'

export const sha512 = (data: Buffer): Buffer => createHash('sha512').update(data).digest()

export interface FileForTest {
  readonly path: string
  readonly content: Buffer
  readonly chunkBytes?: number
  /** null leaves every streamtool header out, as OpenMSIStream does. */
  readonly uploadId?: string | null
  readonly mtimeSeconds?: number | null
  readonly metadata?: Record<string, string>
}

export function chunksOf({
  path,
  content,
  chunkBytes = 1024,
  mtimeSeconds = 1_700_000_000.5,
}: FileForTest): Chunk[] {
  const plan = splitPlan(content.length, chunkBytes)
  const {subdir, name} = splitWirePath(path)
  return Array.from({length: plan.count}, (_, i) => {
    const {offsetBytes, byteLength} = plan.chunk(i + 1)
    const data = content.subarray(offsetBytes, offsetBytes + byteLength)
    return {
      subdir,
      wireName: name,
      nameAppend: '',
      sha512: sha512(content),
      chunkSha512: sha512(data),
      count: plan.count,
      index: i + 1,
      offsetBytes,
      data,
      mtimeSeconds,
    }
  })
}

export function headersOf(file: FileForTest): ChunkHeaders {
  const digest = new FileDigest()
  digest.update(file.content)
  return {
    uploadId: file.uploadId === undefined ? '00000000-0000-4000-8000-000000000000' : file.uploadId,
    sizeBytes: file.content.length,
    crc32: digest.finish().crc32,
    partitionedByFile: true,
    metadata: file.metadata ?? {},
  }
}

export function recordsOf(file: FileForTest): OutgoingRecord[] {
  return chunksOf(file).map((chunk) => encodeChunk(chunk, headersOf(file)))
}

/** As a consumer would see the value. */
export function joined(value: readonly Buffer[] | null): Buffer | null {
  return value === null ? null : Buffer.concat(value)
}
