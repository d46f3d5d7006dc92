/** What is counted of a topic record by record, whatever the records are. */
import type {Poison, PoisonCode} from '../../core/chunk/index.js'
import type {InspectedPartition, PoisonCount} from '../../core/inspect-report.js'
import type {PartitionRange} from '../../core/ports/index.js'
import type {ConsumedRecord} from '../../core/record.js'
import {TimeSpan} from './time-span.js'

export class TopicCounts {
  private readonly times = new TimeSpan()
  private readonly partitions: Map<number, {records: number; chunks: number; bytes: number}>
  private readonly poisonByCode = new Map<PoisonCode, {records: number; example: PoisonCount['example']}>()

  constructor(private readonly ranges: readonly PartitionRange[]) {
    this.partitions = new Map(
      ranges.map(({partition}) => [partition, {records: 0, chunks: 0, bytes: 0}] as const),
    )
  }

  get bytes(): number {
    return this.sum('bytes')
  }

  chunk(record: ConsumedRecord): void {
    this.record(record, 1)
  }

  poison(record: ConsumedRecord, {poison: code, reason}: Poison): void {
    this.record(record, 0)
    const {partition, offset} = record
    const known = this.poisonByCode.get(code)
    if (known) known.records += 1
    else this.poisonByCode.set(code, {records: 1, example: {partition, offset, reason}})
  }

  sums() {
    const poisonCodes = this.poisonCodes()
    return {
      records: this.sum('records'),
      bytes: this.bytes,
      chunks: this.sum('chunks'),
      poison: poisonCodes.reduce((sum, {records}) => sum + records, 0),
      poisonCodes,
      firstRecord: this.times.first,
      lastRecord: this.times.last,
    }
  }

  partitionList(): InspectedPartition[] {
    return this.ranges.map(({partition, start, end}) => ({
      partition,
      start,
      end,
      records: 0,
      chunks: 0,
      bytes: 0,
      ...this.partitions.get(partition),
    }))
  }

  /** The most frequent first. */
  private poisonCodes(): PoisonCount[] {
    const counts = [...this.poisonByCode].map(([code, count]) => ({code, ...count}))
    return counts.sort((a, b) => b.records - a.records || a.code.localeCompare(b.code))
  }

  private record({partition, timestampMs, value}: ConsumedRecord, chunks: 0 | 1): void {
    this.times.add(timestampMs)
    const counts = this.partitions.get(partition)
    if (!counts) return
    counts.records += 1
    counts.chunks += chunks
    counts.bytes += value?.length ?? 0
  }

  private sum(what: 'records' | 'chunks' | 'bytes'): number {
    return [...this.partitions.values()].reduce((total, counts) => total + counts[what], 0)
  }
}
