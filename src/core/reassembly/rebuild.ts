/**
 * The content of one file, written in order from chunks in any order, and hashed on the way.
 *
 *     chunk -> its turn? -> writer, hash -> the chunks that waited for it
 *              ahead     -> reorder buffer
 */
import {createHash, type Hash} from 'node:crypto'
import type {Chunk} from '../chunk/index.js'
import {asStreamtoolError, StreamtoolError} from '../errors.js'
import {type Gauge, isAborted} from '../flow/index.js'
import type {Destination, FileWriter, FinishOutcome, IncomingFile, StepObserver} from '../ports/index.js'
import {type ReorderBudget, ReorderBuffer} from './reorder-buffer.js'

export interface RebuildSite {
  readonly destination: Destination
  readonly reorder: ReorderBudget
  readonly steps: StepObserver
  /** Bytes of all files, for the progress. */
  readonly written: Gauge
}

/** Called at most once, one of them; none after {@link Rebuild.discard}. */
export interface RebuildEnd {
  /** All chunks are written: time to verify and finish. */
  readonly onWritten: () => void
  /** Writing failed in a way that trying again now will not mend. */
  readonly onBroken: (error: StreamtoolError) => void
}

export class Rebuild {
  writtenBytes = 0
  /** The next chunk to be queued for the writer. */
  private turn = 1
  private writer: FileWriter | null = null
  private writing: Promise<void> = Promise.resolve()
  /** A file of one chunk is verified by that chunk's own hash. */
  private readonly wholeFile: Hash | null
  private readonly reorder: ReorderBuffer
  private hasFailed = false
  private readonly stop = new AbortController()

  constructor(
    private readonly file: IncomingFile,
    private readonly firstChunkSha512: Buffer,
    private readonly site: RebuildSite,
    private readonly end: RebuildEnd,
  ) {
    this.wholeFile = file.chunkCount > 1 ? createHash('sha512') : null
    this.reorder = new ReorderBuffer(site.reorder, this.stop.signal)
  }

  get signal(): AbortSignal {
    return this.stop.signal
  }

  /** Whether every chunk has been queued for the writer. */
  get hasAll(): boolean {
    return this.turn > this.file.chunkCount
  }

  /** Takes a chunk that it was not given before. */
  put({index, offsetBytes, data}: Chunk): void {
    if (index !== this.turn) {
      this.reorder.put(index, offsetBytes, data)
      return
    }
    this.write(offsetBytes, () => data)
    for (let next = this.reorder.take(this.turn); next; next = this.reorder.take(this.turn)) {
      const waited = next
      this.write(waited.offsetBytes, () => waited.load())
    }
  }

  /**
   * Resolves when no chunk's data is needed any more. Never rejects.
   * @returns false when the writer failed: what it began may still be reading what it was given
   */
  async absorbed(): Promise<boolean> {
    await this.writing
    await this.reorder.stored()
    return !this.hasFailed
  }

  /**
   * Checks what the writer was given against what the chunks said of the file.
   * @throws FILE_HASH_MISMATCH
   */
  verify(): void {
    this.site.steps.reached('before-verify')
    const {sha512, sizeBytes} = this.file
    const actual = this.wholeFile === null ? this.firstChunkSha512 : this.wholeFile.digest()
    if (!actual.equals(sha512)) throw this.mismatch('the SHA-512 of the rebuilt file is another one')
    if (sizeBytes !== null && sizeBytes !== this.writtenBytes) {
      throw this.mismatch(`it has ${this.writtenBytes} bytes, its uploader counted ${sizeBytes}`)
    }
    this.site.steps.reached('after-verify')
  }

  /** Makes the file visible. Called once, after {@link verify}. */
  async finish(): Promise<FinishOutcome> {
    const writer = await this.openWriter()
    const finishing = writer.finish(this.writtenBytes)
    this.writing = finishing.then(
      () => {
        this.writer = null
      },
      () => undefined,
    )
    const outcome = await finishing
    await this.reorder.clear()
    return outcome
  }

  /** Leaves no trace. A `finish` under way is let through: it may have renamed. */
  async discard(): Promise<void> {
    this.stop.abort(new StreamtoolError('INTERRUPTED', `The assembly of ${this.file.path} was given up.`))
    await this.writing
    await this.reorder.clear()
    await this.writer?.discard()
    this.writer = null
  }

  private write(offsetBytes: number, load: () => Buffer | Promise<Buffer>): void {
    this.turn += 1
    const isLast = this.hasAll
    this.writing = this.writing.then(async () => {
      if (isAborted(this.stop.signal)) return
      try {
        await this.writeNow(offsetBytes, await load())
        if (isLast) this.end.onWritten()
      } catch (thrown) {
        this.fail(thrown)
      }
    })
  }

  private async writeNow(offsetBytes: number, data: Buffer): Promise<void> {
    if (offsetBytes !== this.writtenBytes) {
      throw this.mismatch(`a chunk says it belongs at byte ${offsetBytes}, it is due at ${this.writtenBytes}`)
    }
    const writer = await this.openWriter()
    const written = writer.write(data)
    // Hashed while the write is under way on another thread.
    this.wholeFile?.update(data)
    await written
    this.writtenBytes += data.length
    this.site.written.add(data.length)
  }

  private async openWriter(): Promise<FileWriter> {
    this.writer ??= await this.site.destination.open(this.file, this.stop.signal)
    return this.writer
  }

  private fail(thrown: unknown): void {
    this.hasFailed = true
    if (isAborted(this.stop.signal)) return
    this.stop.abort(thrown)
    this.end.onBroken(asStreamtoolError(thrown))
  }

  private mismatch(what: string): StreamtoolError {
    const {path, topic, sha512} = this.file
    return new StreamtoolError('FILE_HASH_MISMATCH', `${path} does not match what its chunks say: ${what}.`, {
      facts: {path, topic, sha512: sha512.toString('hex')},
      suggestions: ['Upload the file again.'],
    })
  }
}
