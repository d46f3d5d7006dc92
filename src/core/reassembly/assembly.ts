/** One generation being put together. */
import {createHash, type Hash} from 'node:crypto'
import type {DecodedChunk} from '../chunk/index.js'
import {asStreamtoolError, StreamtoolError} from '../errors.js'
import {isAborted} from '../flow/index.js'
import {IntervalSet, type OutcomeName} from '../offsets/index.js'
import type {
  Destination,
  FileWriter,
  FinishOutcome,
  GenerationOrder,
  IncomingFile,
  StepObserver,
} from '../ports/index.js'
import type {ConsumedRecord} from '../record.js'
import {compareGenerations} from './generation-order.js'
import {incomingFile, orderOf} from './generation.js'
import {type ReorderBudget, ReorderBuffer} from './reorder-buffer.js'

export type ConcludedOutcome = Extract<OutcomeName, FinishOutcome | 'held' | 'failed'>

export interface Conclusion {
  readonly file: IncomingFile
  readonly outcome: ConcludedOutcome
  readonly sizeBytes: number
  /** Why, when it was not delivered. */
  readonly error: StreamtoolError | null
  /** The records that the outcome covers, by partition. */
  readonly offsets: ReadonlyMap<number, IntervalSet>
}

/** What an assembly needs of its surroundings. */
export interface AssemblySite {
  readonly topic: string
  readonly destination: Destination
  readonly reorder: ReorderBudget
  readonly steps: StepObserver
  /** All chunks are written: time to verify and finish. */
  readonly onComplete: (assembly: Assembly) => void
  /** Writing failed in a way that trying again now will not mend. */
  readonly onBroken: (assembly: Assembly, error: StreamtoolError) => void
}

export class Assembly {
  readonly offsets = new Map<number, IntervalSet>()
  readonly path: string
  readonly file: IncomingFile
  /** Of the newest record, for the age of an incomplete file. */
  newestTimestampMs = -1
  /** `closed`: it has an outcome, and only takes the offsets of further duplicates. */
  state: 'open' | 'complete' | 'closed' = 'open'
  writtenBytes = 0

  private earliest: GenerationOrder
  readonly receivedChunks = new IntervalSet()
  private readonly reorder: ReorderBuffer
  private readonly stop = new AbortController()
  /** The next chunk to be handed to the writer. */
  private turn = 1
  private writer: FileWriter | null = null
  private writing: Promise<void> = Promise.resolve()
  /** A file of one chunk is verified by that chunk's own hash. */
  private readonly wholeFile: Hash | null
  private readonly first: DecodedChunk

  constructor(
    readonly key: string,
    first: DecodedChunk,
    record: ConsumedRecord,
    private readonly site: AssemblySite,
  ) {
    // Only what describes the file is kept: the data is a view that would pin its fetch answer.
    this.first = {...first, chunk: {...first.chunk, data: Buffer.alloc(0)}}
    this.path = first.path
    this.earliest = orderOf(record, first)
    this.file = incomingFile(site.topic, this.first, () => this.earliest)
    this.wholeFile = first.chunk.count > 1 ? createHash('sha512') : null
    this.reorder = new ReorderBuffer(site.reorder)
  }

  get signal(): AbortSignal {
    return this.stop.signal
  }

  get order(): GenerationOrder {
    return this.earliest
  }

  /** Chunk numbers not seen yet, as runs. */
  missingChunks(): IntervalSet {
    return IntervalSet.of(this.receivedChunks.gaps(1, this.first.chunk.count + 1))
  }

  hasChunk(index: number): boolean {
    return this.receivedChunks.has(index)
  }

  hasRecord({partition, offset}: ConsumedRecord): boolean {
    return this.offsets.get(partition)?.has(offset) ?? false
  }

  /** Takes the record's offset, and its chunk unless that is here already. */
  accept(decoded: DecodedChunk, record: ConsumedRecord): void {
    if (!this.takeOffset(record)) return
    this.newestTimestampMs = Math.max(this.newestTimestampMs, record.timestampMs)
    const order = orderOf(record, decoded)
    if (compareGenerations(order, this.earliest) < 0) this.earliest = order

    const {index, offsetBytes, data} = decoded.chunk
    if (this.state !== 'open' || !this.receivedChunks.add(index)) return
    if (index === this.turn) {
      this.turn += 1
      this.write(offsetBytes, () => data)
      this.writeWhatWaited()
    } else this.reorder.put(index, offsetBytes, data)
  }

  /** Resolves when no accepted chunk's data is needed any more. Never rejects. */
  async absorbed(): Promise<void> {
    await this.writing
    await this.reorder.stored()
  }

  /**
   * Checks what the writer was given against what the chunks said of the file.
   * @throws FILE_HASH_MISMATCH
   */
  verify(): void {
    this.site.steps.reached('before-verify')
    const {sha512} = this.first.chunk
    const actual = this.wholeFile === null ? this.first.chunk.chunkSha512 : this.wholeFile.digest()
    const {sizeBytes} = this.first.headers
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

  /** Ends it, and leaves no trace of it but its offsets. A `finish` under way is let through: it may have renamed. */
  async discard(): Promise<void> {
    this.state = 'closed'
    this.stop.abort(new StreamtoolError('INTERRUPTED', `The assembly of ${this.path} was given up.`))
    await this.writing
    await this.reorder.clear()
    await this.writer?.discard()
    this.writer = null
  }

  close(): void {
    this.state = 'closed'
    this.writer = null
  }

  private takeOffset({partition, offset}: ConsumedRecord): boolean {
    let offsets = this.offsets.get(partition)
    if (!offsets) this.offsets.set(partition, (offsets = new IntervalSet()))
    return offsets.add(offset)
  }

  private writeWhatWaited(): void {
    for (let chunk = this.reorder.take(this.turn); chunk; chunk = this.reorder.take(this.turn)) {
      this.turn += 1
      const waited = chunk
      this.write(waited.offsetBytes, () => waited.load())
    }
  }

  private write(offsetBytes: number, load: () => Buffer | Promise<Buffer>): void {
    const isLast = this.turn > this.first.chunk.count
    if (isLast) this.state = 'complete'
    this.writing = this.writing.then(async () => {
      if (isAborted(this.stop.signal)) return
      try {
        await this.writeNow(offsetBytes, await load())
        if (isLast) this.site.onComplete(this)
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
  }

  private async openWriter(): Promise<FileWriter> {
    this.writer ??= await this.site.destination.open(this.file, this.stop.signal)
    return this.writer
  }

  private fail(thrown: unknown): void {
    if (isAborted(this.stop.signal)) return
    this.stop.abort(thrown)
    this.site.onBroken(this, asStreamtoolError(thrown))
  }

  private mismatch(what: string): StreamtoolError {
    return new StreamtoolError(
      'FILE_HASH_MISMATCH',
      `${this.path} does not match what its chunks say: ${what}.`,
      {
        facts: {path: this.path, topic: this.site.topic, sha512: this.first.chunk.sha512.toString('hex')},
        suggestions: ['Upload the file again.'],
      },
    )
  }
}
