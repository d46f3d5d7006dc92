/** Files whose chunks come interleaved: the first chunk of every file, then the second of every file, and so on. */
import {createHash, randomUUID} from 'node:crypto'
import {mkdir, utimes, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {crc32} from 'node:zlib'
import {encodeChunk, partitionForPath, splitPlan, splitWirePath} from '../../../src/core/chunk/index.js'
import type {OutgoingRecord, RecordProducer} from '../../../src/core/ports/index.js'
import {seededBytes} from '../trees.js'

const MTIME_SECONDS = 1_700_000_000.25
const BATCH_BYTES = 900_000
const PATTERN = seededBytes(7, 4099)

/** A file as `upload` would send it, chunk by chunk when it is asked for them. */
export interface ChunkedFile {
  readonly path: string
  readonly content: Buffer
  readonly chunkCount: number
  /** @param index 1-based */
  record(index: number): OutgoingRecord
}

export function chunkedFile(path: string, content: Buffer, chunkBytes: number): ChunkedFile {
  const plan = splitPlan(content.length, chunkBytes)
  const {subdir, name} = splitWirePath(path)
  const hash = sha512(content)
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(content))
  const headers = {
    uploadId: randomUUID(),
    sizeBytes: content.length,
    crc32: crc,
    partitionedByFile: true,
    metadata: {},
  }
  return {
    path,
    content,
    chunkCount: plan.count,
    record(index) {
      const {offsetBytes, byteLength} = plan.chunk(index)
      const data = content.subarray(offsetBytes, offsetBytes + byteLength)
      const chunk = {
        ...{subdir, wireName: name, nameAppend: '', sha512: hash, chunkSha512: sha512(data)},
        ...{count: plan.count, index, offsetBytes, data, mtimeSeconds: MTIME_SECONDS},
      }
      return encodeChunk(chunk, headers)
    },
  }
}

export function manyChunkedFiles(
  prefix: string,
  {count, chunks, chunkBytes}: {count: number; chunks: number; chunkBytes: number},
): ChunkedFile[] {
  return Array.from({length: count}, (_, index) => {
    // The last chunk is a shorter one, and no two chunks are the same.
    const content = Buffer.alloc(chunks * chunkBytes - (index % chunkBytes), PATTERN)
    for (let at = 0; at + 8 <= content.length; at += chunkBytes) content.writeDoubleBE(index * 1e6 + at, at)
    return chunkedFile(`${prefix}/${index % 10}/file-${index}.raw`, content, chunkBytes)
  })
}

/** Puts them where they can be compared with what comes out. */
export async function writeChunkedFiles(root: string, files: readonly ChunkedFile[]): Promise<void> {
  for (const {path, content} of files) {
    await mkdir(dirname(join(root, path)), {recursive: true})
    await writeFile(join(root, path), content)
    await utimes(join(root, path), MTIME_SECONDS, MTIME_SECONDS)
  }
}

/** Sends these chunks of every file, round after round. */
export async function produceRounds(
  producer: RecordProducer,
  files: readonly ChunkedFile[],
  {topic, partitions, chunks}: {topic: string; partitions: number; chunks: readonly number[]},
): Promise<void> {
  const queues = Array.from({length: partitions}, () => ({records: [] as OutgoingRecord[], bytes: 0}))
  const flush = async (partition: number) => {
    const queue = queues[partition]!
    if (queue.records.length === 0) return
    await producer.send({topic, partition, records: queue.records})
    queues[partition] = {records: [], bytes: 0}
  }
  for (const index of chunks) {
    for (const file of files) {
      if (index > file.chunkCount) continue
      const partition = partitionForPath(file.path, partitions)
      const record = file.record(index)
      const bytes = record.value!.reduce((sum, {length}) => sum + length, 1024)
      if (queues[partition]!.bytes + bytes > BATCH_BYTES) await flush(partition)
      queues[partition]!.records.push(record)
      queues[partition]!.bytes += bytes
    }
  }
  for (let partition = 0; partition < partitions; partition++) await flush(partition)
}

export function range(first: number, last: number): number[] {
  return Array.from({length: Math.max(0, last - first + 1)}, (_, index) => first + index)
}

function sha512(data: Buffer): Buffer {
  return createHash('sha512').update(data).digest()
}
