/** One generation as the topic holds it: which of its chunks are there, and nothing of their data. */
import type {DecodedChunk} from '../../core/chunk/index.js'
import type {Producer} from '../../core/inspect-report.js'
import {IntervalSet} from '../../core/offsets/index.js'
import type {GenerationOrder} from '../../core/ports/index.js'
import {compareGenerations, orderOf} from '../../core/reassembly/index.js'
import type {ConsumedRecord} from '../../core/record.js'
import {ContentCheck, type ContentPolicy} from './content-check.js'
import {GroupProgress} from './group-progress.js'
import {TimeSpan} from './time-span.js'

/** MessagePack's header of an array of nine, which is what chunks were before they had a time. */
const ARRAY_OF_NINE = 0x99

export class SeenGeneration {
  readonly path: string
  readonly sha512: Buffer
  readonly chunkCount: number
  readonly uploadId: string | null
  readonly producer: Producer
  readonly times = new TimeSpan()
  readonly content: ContentCheck
  /** Null when nobody asked about a group. */
  readonly group: GroupProgress | null
  readonly partitions: number[] = []
  /** Of its chunks, each counted once. */
  bytes = 0
  duplicates = 0
  private readonly sizeTold: number | null
  private earliest: GenerationOrder
  /** Null once all of them are there. */
  private found: IntervalSet | null = new IntervalSet()

  constructor(
    readonly key: string,
    decoded: DecodedChunk,
    record: ConsumedRecord,
    options: {readonly content: ContentPolicy; readonly withGroup: boolean},
  ) {
    const {chunk, headers, path} = decoded
    this.path = path
    this.sha512 = chunk.sha512
    this.chunkCount = chunk.count
    this.uploadId = headers.uploadId
    this.producer = producerOf(decoded, record)
    this.sizeTold = headers.sizeBytes
    this.earliest = orderOf(record, decoded)
    this.content = new ContentCheck(
      {sha512: chunk.sha512, chunkCount: chunk.count, sizeBytes: headers.sizeBytes},
      options.content,
    )
    this.group = options.withGroup ? new GroupProgress() : null
  }

  get order(): GenerationOrder {
    return this.earliest
  }

  get isComplete(): boolean {
    return this.found === null
  }

  get isCorrupt(): boolean {
    return this.isComplete && this.content.verdict === 'mismatch'
  }

  get chunksFound(): number {
    return this.found === null ? this.chunkCount : this.found.size
  }

  get sizeBytes(): number | null {
    return this.isComplete ? this.bytes : this.sizeTold
  }

  missingChunks(): IntervalSet {
    return this.found === null ? new IntervalSet() : IntervalSet.of(this.found.gaps(1, this.chunkCount + 1))
  }

  hasChunk(index: number): boolean {
    return this.found === null || this.found.has(index)
  }

  /** @param isDone whether the group has the record behind it */
  accept(decoded: DecodedChunk, record: ConsumedRecord, isDone: boolean): void {
    const {chunk} = decoded
    this.times.add(record.timestampMs)
    if (!this.partitions.includes(record.partition)) this.partitions.push(record.partition)
    this.group?.add(chunk.index, isDone)
    const order = orderOf(record, decoded)
    if (compareGenerations(order, this.earliest) < 0) this.earliest = order

    if (this.found === null || !this.found.add(chunk.index)) {
      this.duplicates += 1
      return
    }
    this.bytes += chunk.data.length
    this.content.put(chunk, record)
    if (isWhole(this.found, this.chunkCount)) this.found = null
  }
}

/** One run from the first to the last; counting all would cost more with each chunk. */
function isWhole(found: IntervalSet, count: number): boolean {
  const run = found.runAt(1)
  return run !== null && run.end > count
}

function producerOf({headers}: DecodedChunk, {value}: ConsumedRecord): Producer {
  if (headers.uploadId !== null) return 'streamtool'
  return value?.[0] === ARRAY_OF_NINE ? 'openmsistream-9' : 'openmsistream'
}
