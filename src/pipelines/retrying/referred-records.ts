/** Reads records by reference. */
import {decodeChunk, type DecodedChunk, type Poison} from '../../core/chunk/index.js'
import type {IntervalSet, Run} from '../../core/offsets/index.js'
import type {RecordOrigin} from '../../core/dead-letters/index.js'
import {StreamtoolError} from '../../core/errors.js'
import type {ConsumedRecord, TopicAdmin, TopicReader} from '../../core/ports/index.js'

/** Runs that lie no further apart are read as one: cheaper than another request. */
const NEAR_OFFSETS = 64

const OUT_OF_REACH: readonly string[] = ['TOPIC_UNKNOWN', 'NOT_AUTHORISED']
/** Of records that a letter names and that are no chunks of its file: enough to see that it is wrong. */
const STRANGE_BYTES = 256 * 1024 * 1024

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

  /**
   * @param onChunk answers whether it is a chunk of the letter's file; after many that are not, reading ends
   * @returns how many of the records are gone from the topic, or are no chunks
   */
  async read(
    {topic, records: wanted}: References,
    onChunk: (decoded: DecodedChunk, record: ConsumedRecord) => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<number> {
    let missing = 0
    let strangeBytes = 0
    const enough = new AbortController()
    const look = async (record: ConsumedRecord) => {
      const decoded = decodeChunk(record)
      const isOurs = !('poison' in decoded) && (await onChunk(decoded, record))
      if (!('poison' in decoded)) missing -= 1
      if (!isOurs) strangeBytes += record.value?.length ?? 0
      if (strangeBytes > STRANGE_BYTES) enough.abort(new Error('the letter names records of other files'))
    }
    for (const [partition, offsets] of wanted) {
      missing += offsets.size
      if (!(await this.exists(topic, partition))) continue
      for (const {start, end} of nearRuns(offsets)) {
        if (enough.signal.aborted) return missing
        const reading = this.reader.read(
          {topic, partition, start, end},
          async (records) => {
            for (const record of records)
              if (offsets.has(record.offset) && !enough.signal.aborted) await look(record)
          },
          AbortSignal.any([signal, enough.signal]),
        )
        await reading.catch((thrown: unknown) => {
          if (!enough.signal.aborted) throw thrown
        })
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
      // A letter may name any topic; those about others must not suffer from it.
      const isOutOfReach = thrown instanceof StreamtoolError && OUT_OF_REACH.includes(thrown.code)
      if (isOutOfReach) return 0
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
