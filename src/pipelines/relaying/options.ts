/** What a relay is told to do: the same whether it was said by plain flags or by Spring properties. */
import type {BackOff} from '../../core/flow/index.js'
import type {Partitioning} from '../../core/relay/index.js'

export interface RelayOptions {
  /** For the report. */
  readonly command: string
  /** The topics that are read, by one member of one group. */
  readonly inputs: readonly string[]
  readonly output: string
  readonly group: string
  /** Stop at the end that the inputs had at the start. */
  readonly once: boolean
  /** Where a partition is begun of which the group has committed nothing yet. */
  readonly startOffset: 'earliest' | 'latest'
  /** Partitions whose records are transformed at once; those of one partition go one after another. */
  readonly concurrency: number
  readonly retry: RetryOptions
  readonly failure: FailureOptions
  readonly partitioning: Partitioning
  /** Groups that must miss nothing of the output from now on, though nobody reads it for them yet. */
  readonly requiredGroups: readonly string[]
  /**
   * Written as the header `contentType`, together with the `spring_json_header_types` that names it; null: neither,
   * and those of the input stay as they are.
   */
  readonly contentType: string | null
  /** `none`: the output has no headers at all. */
  readonly headerMode: 'headers' | 'none'
  readonly topicCreation: TopicCreation
  readonly flow: RelayFlow
}

/** How often a transform is tried on one record, how long, and what is waited before the second time. */
export interface RetryOptions {
  /** Null: as long as it takes. */
  readonly timeoutMs: number | null
  /** In all; 1 is no retry. */
  readonly maxAttempts: number
  readonly backOff: BackOff
}

export interface FailureOptions {
  /**
   * What becomes of a record whose last attempt failed. `stop`: the run ends, the record stays open. `skip`: it is
   * counted and done. `dead-letter`: it goes to {@link deadLetterTopic}, and is done when that has it.
   */
  readonly onFailure: 'stop' | 'skip' | 'dead-letter'
  /** Null: `error.<input>.<group>`. */
  readonly deadLetterTopic: string | null
  /** Null: as many as the input has. With 1, all go to partition 0; else to the partition they came from. */
  readonly deadLetterPartitions: number | null
}

/** Whether missing topics are made, and how. */
export interface TopicCreation {
  readonly autoCreate: boolean
  /** Null: the brokers' default. */
  readonly replicationFactor: number | null
  /** Of topics that are made. */
  readonly minPartitionCount: number
}

/** Bounds, and how often is committed. */
export interface RelayFlow {
  /** Read and not acknowledged by the output; one larger record passes alone. */
  readonly inFlightBytes: number
  readonly inFlightRecords: number
  readonly commitIntervalMs: number
  /** Commit early after so many records. */
  readonly commitRecords: number
}

/** Larger batches gain nothing, and topics refuse them by default. */
export const MAX_BATCH_BYTES = 1024 * 1024

export const RELAY_DEFAULTS = {
  startOffset: 'earliest',
  concurrency: 1,
  retry: {timeoutMs: null, maxAttempts: 3, backOff: {initialMs: 1000, maxMs: 10_000, multiplier: 2}},
  topicCreation: {autoCreate: true, replicationFactor: null, minPartitionCount: 1},
  flow: {
    inFlightBytes: 32 * 1024 * 1024,
    inFlightRecords: 100_000,
    commitIntervalMs: 5000,
    commitRecords: 10_000,
  },
} as const satisfies Partial<RelayOptions>
