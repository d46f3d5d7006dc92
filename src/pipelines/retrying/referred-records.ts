/** Reads records by reference. */
import {decodeChunk, type DecodedChunk, type Poison} from '../../core/chunk/index.js'
import type {IntervalSet, Run} from '../../core/offsets/index.js'
import type {RecordOrigin} from '../../core/dead-letters/index.js'
import {StreamtoolError} from '../../core/errors.js'
import type {ConsumedRecord, TopicAdmin, TopicReader} from '../../core/ports/index.js'

/** Runs that lie no further apart are read as one: cheaper than another request. */
const NEAR_OFFSETS = 64

export interface References {
  readonly topic: string
  /** By partition. */
  readonly records: ReadonlyMap<number, IntervalSet>
}

export class ReferredRecords {
  /** By topic; letters may name any, also what never existed. */
  private readonly partitionCounts = new Map<string, number>()

  constructor(
    private readonly reader: TopicReader,
    private readonly admin: TopicAdmin,
  ) {}

  /** @returns null when it is gone from the topic */
  async one(origin: RecordOrigin, signal: AbortSignal): Promise<DecodedChunk | Poison | null> {
    const {topic, partition, offset} = origin
    if (!(await this.exists(topic, partition))) return null
    const found: (DecodedChunk | Poison)[] = []
    await this.reader.read(
      {topic, partition, start: offset, end: offset + 1},
      async (records) => {
        for (const record of records) found.push(decodeChunk(record))
      },
      signal,
    )
    return found[0] ?? null
  }

  /** @returns how many of the records are gone from the topic, or are no chunks */
  async read(
    {topic, records: wanted}: References,
    onChunk: (decoded: DecodedChunk, record: ConsumedRecord) => Promise<void>,
    signal: AbortSignal,
  ): Promise<number> {
    let missing = 0
    for (const [partition, offsets] of wanted) {
      missing += offsets.size
      if (!(await this.exists(topic, partition))) continue
      for (const {start, end} of nearRuns(offsets)) {
        await this.reader.read(
          {topic, partition, start, end},
          async (records) => {
            for (const record of records) {
              const decoded = offsets.has(record.offset) ? decodeChunk(record) : null
              if (decoded === null || 'poison' in decoded) continue
              missing -= 1
              await onChunk(decoded, record)
            }
          },
          signal,
        )
      }
    }
    return missing
  }

  /** Every chunk from an offset to the end of its partition. */
  async readFrom(
    {topic, partition, offset}: RecordOrigin,
    onChunk: (decoded: DecodedChunk, record: ConsumedRecord) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    if (!(await this.exists(topic, partition))) return
    const range = (await this.admin.partitionRanges(topic)).find((each) => each.partition === partition)
    if (range === undefined) return
    await this.reader.read(
      {...range, start: Math.max(range.start, offset)},
      async (records) => {
        for (const record of records) {
          const decoded = decodeChunk(record)
          if (!('poison' in decoded)) await onChunk(decoded, record)
        }
      },
      signal,
    )
  }

  private async exists(topic: string, partition: number): Promise<boolean> {
    const known = this.partitionCounts.get(topic) ?? (await this.countPartitions(topic))
    this.partitionCounts.set(topic, known)
    return partition < known
  }

  private async countPartitions(topic: string): Promise<number> {
    try {
      return (await this.admin.describeTopic(topic)).partitionCount
    } catch (thrown) {
      if (thrown instanceof StreamtoolError && thrown.code === 'TOPIC_UNKNOWN') return 0
      throw thrown
    }
  }
}

function nearRuns(offsets: IntervalSet): Run[] {
  const runs: Run[] = []
  for (const {start, end} of offsets.runs()) {
    const last = runs.at(-1)
    if (last !== undefined && start - last.end <= NEAR_OFFSETS) runs.splice(-1, 1, {start: last.start, end})
    else runs.push({start, end})
  }
  return runs
}
