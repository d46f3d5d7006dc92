/** Kafka's own words, as the core uses them. Offsets are safe integers here; adapters convert at their edge. */

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Headers are a list: their order counts and a key may come twice. */
export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

export interface ConsumedRecord extends TopicPartition {
  readonly offset: number
  /** Milliseconds since the epoch; -1 when the producer gave none. */
  readonly timestampMs: number
  /** The broker's time instead of the producer's. */
  readonly isLogAppendTime?: boolean
  readonly key: Buffer | null
  /**
   * A view into the whole fetch answer, as key and headers are: whoever keeps it copies it before the batch is released
   * (ports/consuming.ts), or it becomes something else. Where nobody releases, it pins megabytes.
   */
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export interface OutgoingRecord {
  readonly key: Buffer | null
  /** Concatenated on the wire, so that a chunk's data need not be copied behind its prefix; null is a tombstone. */
  readonly value: readonly Buffer[] | null
  readonly headers: readonly RecordHeader[]
  /** Milliseconds since the epoch; the time of sending when absent. */
  readonly timestampMs?: number
}
