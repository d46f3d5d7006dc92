import type {ConsumedRecord, PartitionRange, TopicPartition} from '../../../core/ports/index.js'

/** What one read found: the records from a position on, and the position after them. */
export interface LogSlice {
  readonly records: readonly ConsumedRecord[]
  readonly nextOffset: number
}

export type AppendedRecord = Omit<ConsumedRecord, 'topic' | 'partition' | 'offset'>

/**
 * One partition: records in offset order, with holes where transactions were aborted or the log was compacted.
 * `start <= offset < end` is readable.
 */
export class PartitionLog {
  readonly topic: string
  readonly partition: number
  #records: ConsumedRecord[] = []
  #start = 0
  #end = 0

  constructor({topic, partition}: TopicPartition) {
    this.topic = topic
    this.partition = partition
  }

  get start(): number {
    return this.#start
  }

  get end(): number {
    return this.#end
  }

  range(): PartitionRange {
    return {topic: this.topic, partition: this.partition, start: this.#start, end: this.#end}
  }

  append(records: readonly AppendedRecord[]): number {
    const baseOffset = this.#end
    const {topic, partition} = this
    for (const record of records) this.#records.push({...record, topic, partition, offset: this.#end++})
    return baseOffset
  }

  /** Moves the end over offsets that nobody will ever see, as an aborted transaction and its marker do. */
  appendHole(count: number): void {
    this.#end += count
  }

  /** Deletes what is before `offset`, as retention does. */
  trim(offset: number): void {
    this.#start = Math.min(Math.max(offset, this.#start), this.#end)
    this.#records = this.#records.slice(this.#indexOf(this.#start))
  }

  /** Deletes what is at and behind `offset`, as an unclean leader election does. */
  truncate(offset: number): void {
    this.#end = Math.max(Math.min(offset, this.#end), this.#start)
    this.#records = this.#records.slice(0, this.#indexOf(this.#end))
  }

  /** Leaves a hole for `from <= offset < to`, as compaction does. */
  compact(from: number, to: number): void {
    this.#records = this.#records.filter(({offset}) => offset < from || offset >= to)
  }

  /** The first offset whose record is of that time or later. */
  offsetAt(timestampMs: number): number | null {
    return this.#records.find((record) => record.timestampMs >= timestampMs)?.offset ?? null
  }

  /** Stops in front of a hole; a read that starts in one answers no record and the offset behind it. */
  read(position: number, maxRecords: number): LogSlice {
    const first = this.#indexOf(position)
    let last = first
    while (last - first < maxRecords && this.#records[last]?.offset === position + last - first) last++
    if (last > first) return {records: this.#records.slice(first, last), nextOffset: position + last - first}
    return {records: [], nextOffset: this.#records[first]?.offset ?? this.#end}
  }

  /** The index of the first record at or behind `offset`. */
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#records[middle]?.offset ?? Infinity) < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}
