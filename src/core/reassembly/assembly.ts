/** One generation being put together: which records it has, and how far it is. */
import type {DecodedChunk} from '../chunk/index.js'
import type {StreamtoolError} from '../errors.js'
import {IntervalSet, type OutcomeName} from '../offsets/index.js'
import type {FinishOutcome, GenerationOrder, IncomingFile} from '../ports/index.js'
import type {ConsumedRecord} from '../record.js'
import {compareGenerations} from './generation-order.js'
import {incomingFile, orderOf} from './generation.js'
import {Rebuild, type RebuildSite} from './rebuild.js'

export type ConcludedOutcome = Extract<OutcomeName, FinishOutcome | 'held' | 'failed' | 'parked' | 'stray'>

export interface Conclusion {
  readonly file: IncomingFile
  readonly outcome: ConcludedOutcome
  readonly sizeBytes: number
  /** Why, when it was not delivered. */
  readonly error: StreamtoolError | null
  /** The records that the outcome covers, by partition. */
  readonly offsets: ReadonlyMap<number, IntervalSet>
}

/** A file that is not complete yet, as it is seen from outside. */
export interface OpenFile {
  /** Of its generation (generation.ts). */
  readonly key: string
  readonly file: IncomingFile
  /** `failed`: complete, and not what its hash says. `held`: its destination did not take it. */
  readonly state: 'open' | 'failed' | 'held'
  /** Why, when it failed or is held. */
  readonly error: StreamtoolError | null
  /** Its records so far, by partition. */
  readonly offsets: ReadonlyMap<number, IntervalSet>
  readonly recordCount: number
  /** Of its newest record, and never in the future; -1 when its producer gave none. */
  readonly newestTimestampMs: number
  /** All of its chunks are in the partition of those that are here. */
  readonly partitionedByFile: boolean
  missingChunks(): IntervalSet
}

/** What an assembly needs of its surroundings. */
export interface AssemblySite extends RebuildSite {
  readonly topic: string
  readonly onWritten: (assembly: Assembly) => void
  readonly onBroken: (assembly: Assembly, error: StreamtoolError) => void
}

export class Assembly implements OpenFile {
  readonly path: string
  readonly file: IncomingFile
  readonly offsets = new Map<number, IntervalSet>()
  readonly receivedChunks = new IntervalSet()
  recordCount = 0
  newestTimestampMs = -1
  firstChunkMs: number | null = null
  /** `complete`: every chunk is here. `concluded`: it has an outcome, and only takes the offsets of duplicates. */
  progress: 'open' | 'complete' | 'concluded' = 'open'
  outcome: ConcludedOutcome | null = null
  error: StreamtoolError | null = null

  private earliest: GenerationOrder
  private readonly rebuild: Rebuild
  private readonly first: DecodedChunk

  constructor(
    readonly key: string,
    first: DecodedChunk,
    record: ConsumedRecord,
    site: AssemblySite,
  ) {
    // Only what describes the file is kept: the data is a view into its fetch answer, whose memory is used again.
    this.first = {...first, chunk: {...first.chunk, data: Buffer.alloc(0)}}
    this.path = first.path
    this.earliest = orderOf(record, first)
    this.file = incomingFile(site.topic, this.first, this)
    this.rebuild = new Rebuild(this.file, first.chunk.chunkSha512, site, {
      onWritten: () => site.onWritten(this),
      onBroken: (error) => site.onBroken(this, error),
    })
  }

  get state(): OpenFile['state'] {
    return this.outcome === 'failed' || this.outcome === 'held' ? this.outcome : 'open'
  }

  get signal(): AbortSignal {
    return this.rebuild.signal
  }

  get order(): GenerationOrder {
    return this.earliest
  }

  get writtenBytes(): number {
    return this.rebuild.writtenBytes
  }

  get partitionedByFile(): boolean {
    return this.first.headers.partitionedByFile
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
  accept(decoded: DecodedChunk, record: ConsumedRecord, nowMs: number): void {
    if (!this.takeOffset(record)) return
    this.newestTimestampMs = Math.max(this.newestTimestampMs, Math.min(record.timestampMs, nowMs))
    const order = orderOf(record, decoded)
    if (compareGenerations(order, this.earliest) < 0) this.earliest = order

    if (this.progress !== 'open' || !this.receivedChunks.add(decoded.chunk.index)) return
    if (decoded.chunk.index === 1) this.firstChunkMs = record.timestampMs
    this.rebuild.put(decoded.chunk)
    if (this.rebuild.hasAll) this.progress = 'complete'
  }

  /** See {@link Rebuild.absorbed}. */
  absorbed(): Promise<boolean> {
    return this.rebuild.absorbed()
  }

  /** @throws FILE_HASH_MISMATCH */
  verify(): void {
    this.rebuild.verify()
  }

  finish(): Promise<FinishOutcome> {
    return this.rebuild.finish()
  }

  /** Ends it, and leaves no trace of it but its offsets. */
  async discard(): Promise<void> {
    this.progress = 'concluded'
    await this.rebuild.discard()
  }

  conclude(outcome: ConcludedOutcome, error: StreamtoolError | null = null): void {
    this.progress = 'concluded'
    this.outcome = outcome
    this.error = error
  }

  private takeOffset({partition, offset}: ConsumedRecord): boolean {
    let offsets = this.offsets.get(partition)
    if (!offsets) this.offsets.set(partition, (offsets = new IntervalSet()))
    if (!offsets.add(offset)) return false
    this.recordCount += 1
    return true
  }
}
