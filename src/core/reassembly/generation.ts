/** Which generation a chunk belongs to, and what is known of its file from any one chunk. */
import {createHash} from 'node:crypto'
import type {DecodedChunk} from '../chunk/index.js'
import {splitWirePath} from '../chunk/index.js'
import type {ConsumedRecord} from '../record.js'
import type {GenerationOrder, IncomingFile} from '../ports/index.js'

/**
 * Short and of fixed length, since thousands of them are remembered. How the file is cut is part of it also when there
 * is an upload id, which anybody can copy: a chunk that says otherwise must not decide for the real ones.
 */
export function generationKey({chunk, headers, path}: DecodedChunk): string {
  const hash = createHash('sha256').update(path).update('\0').update(chunk.sha512)
  hash.update(`${chunk.count} chunks of ${chunkBytes(chunk)}`)
  if (headers.uploadId !== null) hash.update(`upload ${headers.uploadId}`)
  return hash.digest('base64url').slice(0, 27)
}

/** The chunk size of the upload. Every chunk but the last has it; the last knows it from its offset. */
function chunkBytes({index, count, offsetBytes, data}: DecodedChunk['chunk']): number {
  return index < count || count === 1 ? data.length : offsetBytes / (count - 1)
}

export function orderOf(record: ConsumedRecord, {chunk}: DecodedChunk): GenerationOrder {
  const {partition, offset, timestampMs} = record
  return {
    partition,
    offset,
    timestampMs,
    mtimeMs: chunk.mtimeSeconds === null ? null : chunk.mtimeSeconds * 1000,
  }
}

/** @param known asked again whenever it is read: further records of the generation may still arrive */
export function incomingFile(
  topic: string,
  {chunk, headers, path}: DecodedChunk,
  known: Pick<IncomingFile, 'order' | 'firstChunkMs'>,
): IncomingFile {
  return {
    topic,
    path,
    ...splitWirePath(path),
    sha512: chunk.sha512,
    chunkCount: chunk.count,
    sizeBytes: headers.sizeBytes,
    mtimeMs: chunk.mtimeSeconds === null ? null : chunk.mtimeSeconds * 1000,
    uploadId: headers.uploadId,
    crc32: headers.crc32,
    metadata: headers.metadata,
    get order() {
      return known.order
    },
    get firstChunkMs() {
      return known.firstChunkMs
    },
  }
}
