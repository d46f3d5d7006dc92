/** The first pass over a file: its hashes, and where it is cut. */
import {crc32} from 'node:zlib'
import {
  type Chunk,
  type ChunkHeaders,
  chunkHashAside,
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
   * @param place holds its data afterwards, unless it is the only one
   * @returns null when it is not what was hashed: the file changed
   */
  readonly readChunk: (
    index: number,
    place: () => Buffer,
  ) => Promise<{readonly data: Buffer; readonly sha512: Buffer} | null>
}

export interface UploadTerms {
  readonly chunkBytes: number
  readonly uploadId: string
  readonly metadata: Readonly<Record<string, string>>
}

const SHA512_BYTES = 64
/** Chunks whose hash is being computed, at most. */
const HASHES_UNDER_WAY = 4

/**
 * Hashes the file in one sequential pass, and each chunk on other threads meanwhile; so the second pass need not.
 * It remembers the CRC-32 of the file up to each chunk: enough to notice that a chunk is not the one that was hashed. A
 * file of one chunk is kept in memory and read only once.
 *
 * @returns null when the file ended early: it changed
 */
export async function planUpload(
  file: SourceFile,
  reader: SourceReader,
  {sizeBytes, mtimeMs}: FileIdentity,
  {chunkBytes, uploadId, metadata}: UploadTerms,
): Promise<UploadPlan | null> {
  // Some say that they are empty, and are not: what the kernel makes up, as below /proc.
  if (sizeBytes === 0 && (await reader.read(Buffer.allocUnsafe(1), 0)) > 0) return null
  const split = splitPlan(sizeBytes, chunkBytes)
  const digest = new FileDigest()
  const crcsBefore: number[] = []
  const chunkHashes = Buffer.allocUnsafe(split.count > 1 ? split.count * SHA512_BYTES : 0)
  const underWay: Promise<void>[] = []
  let last: Buffer = Buffer.alloc(0)
  for await (const data of chunkData(reader, split)) {
    if (data === null) return null
    const at = crcsBefore.length
    if (split.count > 1) {
      const keep = (hash: Buffer) => void hash.copy(chunkHashes, at * SHA512_BYTES)
      const hash = chunkHashAside(data)
      if (hash instanceof Promise) underWay.push(hash.then(keep))
      else keep(hash)
    }
    crcsBefore.push(digest.crc32)
    digest.update(data)
    if (underWay.length === HASHES_UNDER_WAY) await underWay.shift()
    last = data
  }
  await Promise.all(underWay)
  crcsBefore.push(digest.crc32)
  const {sha512, crc32: fileCrc32} = digest.finish()

  const readChunk = async (index: number, place: () => Buffer) => {
    if (split.count === 1) return {data: last, sha512}
    const {offsetBytes, byteLength} = split.chunk(index)
    const data = place().subarray(0, byteLength)
    const complete = (await reader.read(data, offsetBytes)) === byteLength
    if (!complete || crc32(data, crcsBefore[index - 1]) !== crcsBefore[index]) return null
    return {data, sha512: chunkHashes.subarray((index - 1) * SHA512_BYTES, index * SHA512_BYTES)}
  }
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

/** One chunk after another, the next one being read meanwhile; each is good until the next. Null: the file ended. */
async function* chunkData(reader: SourceReader, split: SplitPlan): AsyncGenerator<Buffer | null> {
  const {byteLength: largest} = split.chunk(1)
  const odd = Buffer.allocUnsafe(largest)
  const even = Buffer.allocUnsafe(split.count > 1 ? largest : 0)
  const read = async (index: number) => {
    const {offsetBytes, byteLength} = split.chunk(index)
    const data = (index % 2 === 1 ? odd : even).subarray(0, byteLength)
    return (await reader.read(data, offsetBytes)) === byteLength ? data : null
  }
  const readAhead = (index: number) => {
    const reading = read(index)
    // It may fail before its turn comes, where that is seen.
    reading.catch(() => undefined)
    return reading
  }
  let next = readAhead(1)
  try {
    for (let index = 1; index <= split.count; index++) {
      const data = await next
      if (index < split.count) next = readAhead(index + 1)
      yield data
    }
  } finally {
    // Whoever stops early closes the reader.
    await next.catch(() => undefined)
  }
}
