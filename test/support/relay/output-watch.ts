/**
 * Reads on in the output of a relay whenever its process has died, beside what is committed by then: what came, what
 * came again though it need not have, and whether the order was kept.
 */
import {decodeCommitMetadata, IntervalSet} from '../../../src/core/offsets/index.js'
import type {ConsumedRecord, TopicAdmin, TopicReader} from '../../../src/core/ports/index.js'
import {type Place, placeOf} from './mixed-records.js'

export interface RelayEvidence {
  readonly distinct: number
  /** Copies beside the first. */
  readonly again: number
  /** Copies of what was committed as done before their process started: this must be none. */
  readonly againThoughCommitted: readonly string[]
  /** First copies that came behind a later record of their input and output partition: this must be none. */
  readonly outOfOrder: readonly string[]
  /** The most that one process had written and not committed when it died. */
  readonly largestWindow: number
  /** The same of all of them. */
  readonly writtenInVain: number
  /** The most often that one pair of partitions began again with something earlier. */
  readonly runsAgain: number
}

/** From one partition to one partition. */
interface Pair {
  lastFirst: number
  last: number
  runsAgain: number
}

export class RelayOutputWatch {
  private readonly positions = new Map<number, number>()
  private readonly seen = new Map<number, IntervalSet>()
  private readonly pairs = new Map<string, Pair>()
  private committed = new Map<number, IntervalSet>()
  private readonly againThoughCommitted: string[] = []
  private readonly outOfOrder: string[] = []
  private again = 0
  private writtenInVain = 0
  private largestWindow = 0

  constructor(
    private readonly admin: TopicAdmin,
    private readonly reader: TopicReader,
    private readonly names: {readonly input: string; readonly output: string; readonly group: string},
  ) {}

  get distinct(): number {
    return [...this.seen.values()].reduce((sum, {size}) => sum + size, 0)
  }

  /** How many records came since the last look. */
  async notLookedAt(): Promise<number> {
    const ranges = await this.admin.partitionRanges(this.names.output)
    return ranges.reduce(
      (sum, {partition, start, end}) => sum + end - (this.positions.get(partition) ?? start),
      0,
    )
  }

  /** After the end of a process, before the start of the next. @returns how many records came since the last look */
  async look(): Promise<number> {
    const written = new Map<number, IntervalSet>()
    let count = 0
    for (const range of await this.admin.partitionRanges(this.names.output)) {
      const start = this.positions.get(range.partition) ?? range.start
      this.positions.set(range.partition, range.end)
      await this.reader.read({...range, start}, async (records) => {
        count += records.length
        for (const record of records) add(written, this.take(record))
      })
    }
    this.committed = await this.readCommitted()
    let window = 0
    for (const [partition, offsets] of written)
      for (const offset of offsets.values()) if (!this.committed.get(partition)?.has(offset)) window += 1
    this.writtenInVain += window
    this.largestWindow = Math.max(this.largestWindow, window)
    return count
  }

  evidence(): RelayEvidence {
    const {distinct, again, againThoughCommitted, outOfOrder, largestWindow, writtenInVain} = this
    const runsAgain = Math.max(...[...this.pairs.values()].map((pair) => pair.runsAgain))
    return {distinct, again, againThoughCommitted, outOfOrder, largestWindow, writtenInVain, runsAgain}
  }

  private take(record: ConsumedRecord): Place {
    const place = placeOf(record)
    const {partition, offset} = place
    const name = `${partition} -> ${record.partition}`
    const pair = this.pairs.get(name) ?? {lastFirst: -1, last: -1, runsAgain: 0}
    this.pairs.set(name, pair)
    if (offset <= pair.last) pair.runsAgain += 1
    pair.last = offset
    if (this.seen.get(partition)?.has(offset)) {
      this.again += 1
      if (this.committed.get(partition)?.has(offset)) this.againThoughCommitted.push(`${partition}:${offset}`)
    } else {
      if (offset < pair.lastFirst) this.outOfOrder.push(`${partition}:${offset} behind ${pair.lastFirst}`)
      pair.lastFirst = Math.max(pair.lastFirst, offset)
      add(this.seen, place)
    }
    return place
  }

  private async readCommitted(): Promise<Map<number, IntervalSet>> {
    const {input, group} = this.names
    const {clusterId} = await this.admin.describeTopic(input)
    const done = new Map<number, IntervalSet>()
    for (const {topic, partition, offset, metadata} of await this.admin.committedOffsets(group, input)) {
      const above = decodeCommitMetadata({clusterId, topic, partition, base: offset}, metadata) ?? []
      done.set(partition, IntervalSet.of([{start: 0, end: offset}, ...above]))
    }
    return done
  }
}

function add(places: Map<number, IntervalSet>, {partition, offset}: Place): void {
  let offsets = places.get(partition)
  if (!offsets) places.set(partition, (offsets = new IntervalSet()))
  offsets.add(offset)
}
