/**
 * Sends one file. Every chunk carries the SHA-512 of the whole file, so a large file is read twice: once to hash
 * it, once to send it. What is sent must be what was hashed: chunk by chunk (upload-plan.ts), and the file's
 * identity (size, time, inode) must still be the same after each pass. Otherwise it is sent anew, as another upload.
 */
import {
  encodeChunk,
  partitionForPath,
  RECORD_BATCH_HEADER_BYTES,
  recordBytesUpperBound,
  newUploadId,
  type WireFormat,
} from '../../core/chunk/index.js'
import {NO_HEADERS} from '../../core/chunk/headers.js'
import {StreamtoolError} from '../../core/errors.js'
import {type Batcher, BufferPool} from '../../core/flow/index.js'
import type {Clock, FileIdentity, SourceFile, SourceReader} from '../../core/ports/index.js'
import {planUpload, type UploadPlan} from './upload-plan.js'

/** A file that grows is given so many chances, each a little later than the one before. */
const ATTEMPTS = 5
const RETRY_MS = 500

export interface FileSenderOptions {
  readonly batcher: Batcher
  readonly clock: Clock
  readonly partitionCount: number
  readonly chunkBytes: number
  /** Of chunks that are read and not acknowledged. */
  readonly inFlightBytes: number
  /** The largest record batch that the topic takes. */
  readonly topicMaxBatchBytes: number
  readonly wireFormat: WireFormat
  readonly metadata: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly onChunkAcknowledged: (bytes: number) => void
  /** A file changed while it was read, and is sent anew. */
  readonly onChanged: (file: SourceFile) => void
}

export interface SentFile {
  readonly uploadId: string
  readonly sha512: Buffer
  readonly sizeBytes: number
  readonly chunks: number
  readonly partition: number
}

export class FileSender {
  private readonly chunkBuffers: BufferPool

  constructor(private readonly options: FileSenderOptions) {
    const {chunkBytes, inFlightBytes} = options
    this.chunkBuffers = new BufferPool(chunkBytes, Math.ceil(inFlightBytes / chunkBytes))
  }

  /**
   * Resolves when every chunk is acknowledged.
   * @throws FILE_CHANGED, FILE_UNREADABLE for this file; anything else concerns the whole upload
   */
  async send(file: SourceFile): Promise<SentFile> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const sent = await this.attempt(file)
      if (sent) return sent
      this.options.onChanged(file)
      await this.options.clock.sleep(RETRY_MS * attempt, this.options.signal)
    }
    throw new StreamtoolError(
      'FILE_CHANGED',
      `${file.localPath} changed each of the ${ATTEMPTS} times it was read.`,
      {
        facts: {path: file.path},
        suggestions: ['Upload it again when its writer has finished.'],
      },
    )
  }

  /** @returns null when the file changed meanwhile; whatever was sent of it is void then */
  private async attempt(file: SourceFile): Promise<SentFile | null> {
    const reader = await readable(file, () => file.open())
    try {
      const identify = () => readable(file, () => reader.identify())
      const before = await identify()
      const terms = {
        chunkBytes: this.chunkBytesFor(file.path),
        uploadId: newUploadId(this.options.clock.nowMs()),
        metadata: this.options.metadata,
      }
      const plan = await readable(file, () => planUpload(file, reader, before, terms))
      if (plan === null || !sameIdentity(before, await identify())) return null
      const partition = partitionForPath(file.path, this.options.partitionCount)
      const unchanged = await this.sendChunks(file, plan, partition)
      // What is read only once is sent as it was hashed.
      const isReadAgain = plan.split.count > 1
      if (!unchanged || (isReadAgain && !sameIdentity(before, await identify()))) return null
      const {uploadId, sizeBytes} = plan.headers
      return {uploadId, sha512: plan.common.sha512, sizeBytes, chunks: plan.split.count, partition}
    } finally {
      await closeQuietly(reader)
    }
  }

  /** @returns false when a chunk was not what had been hashed */
  private async sendChunks(file: SourceFile, plan: UploadPlan, partition: number): Promise<boolean> {
    const {batcher, signal, wireFormat, onChunkAcknowledged} = this.options
    const {chunkBuffers} = this
    const underWay = new UnderWay()
    let unchanged = true
    for (let index = 1; index <= plan.split.count; index++) {
      signal.throwIfAborted()
      let place: Buffer | null = null
      const chunk = await readable(file, () => plan.readChunk(index, () => (place ??= chunkBuffers.take())))
      if (chunk === null) {
        unchanged = false
        break
      }
      const {data, sha512: chunkSha512} = chunk
      const {offsetBytes} = plan.split.chunk(index)
      const record = encodeChunk(
        {...plan.common, index, offsetBytes, chunkSha512, data},
        plan.headers,
        wireFormat,
      )
      const sent = await batcher.add(partition, record)
      const onAcknowledged = () => {
        // Only then: a request that failed may still be reading it.
        if (place !== null) chunkBuffers.give(place)
        onChunkAcknowledged(data.length)
      }
      underWay.add(sent.acknowledged.then(onAcknowledged))
    }
    // Also when it changed: generations of a path stay in order on the topic, so nothing of the next attempt is
    // sent while something of this one is under way.
    await underWay.settled()
    return unchanged
  }

  /** The chunk size, or less where a long path leaves less room in the topic's largest batch. */
  private chunkBytesFor(path: string): number {
    const empty = Buffer.alloc(0)
    const hash = Buffer.alloc(64)
    const identity = {
      subdir: '',
      wireName: path,
      nameAppend: '',
      sha512: hash,
      count: 0xffffffff,
      mtimeSeconds: 0,
    }
    const record = encodeChunk(
      {...identity, index: 0xffffffff, offsetBytes: Number.MAX_SAFE_INTEGER, chunkSha512: hash, data: empty},
      {
        ...NO_HEADERS,
        uploadId: '0'.repeat(36),
        sizeBytes: Number.MAX_SAFE_INTEGER,
        crc32: Buffer.alloc(4),
        partitionedByFile: true,
        metadata: this.options.metadata,
      },
      this.options.wireFormat,
    )
    const overheadBytes = RECORD_BATCH_HEADER_BYTES + recordBytesUpperBound(record) + path.length
    return Math.min(this.options.chunkBytes, this.options.topicMaxBatchBytes - overheadBytes)
  }
}

/** Acknowledgements that are waited for: as many as are under way, not as many as the file has chunks. */
class UnderWay {
  private readonly promises = new Set<Promise<void>>()
  private failure: {readonly thrown: unknown} | null = null

  add(promise: Promise<void>): void {
    const watched = promise
      .catch((thrown: unknown) => {
        this.failure ??= {thrown}
      })
      .finally(() => this.promises.delete(watched))
    this.promises.add(watched)
  }

  /** @throws what the first one failed with */
  async settled(): Promise<void> {
    await Promise.all(this.promises)
    if (this.failure) throw this.failure.thrown
  }
}

function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs && a.inode === b.inode
}

async function readable<T>(file: SourceFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (thrown) {
    if (thrown instanceof StreamtoolError) throw thrown
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw new StreamtoolError('FILE_UNREADABLE', `${file.localPath} cannot be read: ${reason}`, {
      facts: {path: file.path},
      cause: thrown,
    })
  }
}

/** Only read from: a failing close loses nothing. */
async function closeQuietly(reader: SourceReader): Promise<void> {
  await reader.close().catch(() => undefined)
}
