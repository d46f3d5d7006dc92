/** The first pass over a file: its hashes, and where it is cut. */
import {crc32} from 'node:zlib'
import {
  type Chunk,
  type ChunkHeaders,
  FileDigest,
  type SplitPlan,
  splitPlan,
  splitWirePath,
} from '../../core/chunk/index.js'
import type {FileIdentity, SourceFile, SourceReader} from '../../core/ports/index.js'

export interface UploadPlan {
  /** What all chunks of the upload have in common. */
  readonly common: Omit<Chunk, 'index' | 'offsetBytes' | 'chunkSha512' | 'data'>
  readonly headers: ChunkHeaders & {readonly uploadId: string; readonly sizeBytes: number}
  readonly split: SplitPlan
  /**
   * Reads a chunk for sending.
   * @returns null when it is not what was hashed: the file changed
   */
  readonly readChunk: (index: number) => Promise<Buffer | null>
}

export interface UploadTerms {
  readonly chunkBytes: number
  readonly uploadId: string
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Hashes the file in one sequential pass, remembering a CRC-32 for each chunk: a hundred times cheaper than a
 * second SHA-512, and enough to notice that a chunk is not the one that was hashed. A file of one chunk is kept
 * in memory and read only once.
 *
 * @returns null when the file ended early: it changed
 */
export async function planUpload(
  file: SourceFile,
  reader: SourceReader,
  {sizeBytes, mtimeMs}: FileIdentity,
  {chunkBytes, uploadId, metadata}: UploadTerms,
): Promise<UploadPlan | null> {
  const split = splitPlan(sizeBytes, chunkBytes)
  const digest = new FileDigest()
  const chunkCrcs: number[] = []
  const scratch = Buffer.allocUnsafe(Math.min(sizeBytes, chunkBytes))
  for (let index = 1; index <= split.count; index++) {
    const {offsetBytes, byteLength} = split.chunk(index)
    const data = scratch.subarray(0, byteLength)
    if ((await reader.read(data, offsetBytes)) < byteLength) return null
    digest.update(data)
    chunkCrcs.push(crc32(data))
  }

  const readChunk = async (index: number) => {
    if (split.count === 1) return scratch
    const {offsetBytes, byteLength} = split.chunk(index)
    const data = Buffer.allocUnsafe(byteLength)
    const complete = (await reader.read(data, offsetBytes)) === byteLength
    return complete && crc32(data) === chunkCrcs[index - 1] ? data : null
  }
  const {sha512, crc32: fileCrc32} = digest.finish()
  const {subdir, name} = splitWirePath(file.path)
  return {
    common: {
      subdir,
      wireName: name,
      nameAppend: '',
      sha512,
      count: split.count,
      mtimeSeconds: mtimeMs / 1000,
    },
    headers: {uploadId, sizeBytes, crc32: fileCrc32, partitionedByFile: true, metadata},
    split,
    readChunk,
  }
}
