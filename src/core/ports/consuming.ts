/** Records from a topic, as a member of a consumer group. */
import type {ConsumedRecord, TopicPartition} from '../record.js'
import type {CommittedOffset, PartitionRange} from './topics.js'

/**
 * One assignment of partitions to this process: everything done under it goes through the generation and member
 * id captured when it began, so that the broker itself refuses what comes late.
 */
export interface Epoch {
  /** The group's generation. */
  readonly generation: number
  /** Aborted when the epoch is over: at once when its partitions were lost, else after `revoked` has resolved. */
  readonly signal: AbortSignal
  /**
   * One attempt, never retried by the adapter.
   * @throws GROUP_STALE when the epoch is over, GROUP_FENCED, BROKER_UNREACHABLE
   */
  commit(offsets: readonly CommittedOffset[]): Promise<void>
  /** Moves the fetch position; a batch already fetched for another position is dropped by the adapter. */
  seek(partition: TopicPartition, offset: number): void
}

export interface AssignedPartition extends PartitionRange {
  readonly committed: {readonly offset: number; readonly metadata: string} | null
}

export interface RecordBatch extends TopicPartition {
  readonly epoch: Epoch
  /** In offset order. May be empty: the position can move over records that nobody may see. */
  readonly records: readonly ConsumedRecord[]
  /** The position after this batch: control records, aborted and compacted ones are behind it too. */
  readonly nextOffset: number
  /** The last stable offset of the partition when this was fetched. */
  readonly endOffset: number
  /**
   * Says that nobody holds a byte of the records any more: from now on their memory is written over. Called at most
   * once, and never in doubt; records that are not released stay as they are for as long as somebody refers to them.
   */
  release(): void
}

export interface GroupHandler {
  /** An epoch begins. Answers where to read each partition from; awaited before the first fetch. */
  assigned(epoch: Epoch, partitions: readonly AssignedPartition[]): Promise<readonly StartPosition[]>
  /**
   * Not called again for any partition of the same broker before it resolves, so awaiting is the back-pressure:
   * at most one further answer is fetched meanwhile. Heartbeats go on regardless.
   * Throwing ends `run` with that error.
   */
  records(batch: RecordBatch): Promise<void>
  /**
   * An epoch ends, and commits through it are still accepted unless `lost`. Awaited before rejoining; no
   * `records` call of the epoch begins after this one.
   */
  revoked(epoch: Epoch, partitions: readonly TopicPartition[], reason: RevokeReason): Promise<void>
  /** The position is outside the partition's range (trimmed or truncated). Answers where to go on. */
  outOfRange(epoch: Epoch, partition: PartitionRange, position: number): Promise<number>
}

export interface StartPosition extends TopicPartition {
  readonly offset: number
}

/** `stopping`: this member leaves. `rebalance`: the group regroups. `lost`: it has regrouped without us. */
export type RevokeReason = 'stopping' | 'rebalance' | 'lost'

export interface GroupConsumer {
  /**
   * Joins the group and calls the handler until the signal aborts; then revokes, and leaves unless it is a static
   * member that was told to stay. Tolerates outages of minutes.
   * @throws GROUP_FENCED, GROUP_INCOMPATIBLE, ASSIGNED_FOREIGN_TOPIC, TOPIC_UNKNOWN, NOT_AUTHORISED,
   *   CODEC_UNKNOWN, BROKER_UNREACHABLE; or what the handler threw
   */
  run(handler: GroupHandler, signal: AbortSignal): Promise<void>
}

/**
 * Who gets which partitions. `spread`: each member its share. `together`: one member gets all of them and keeps them
 * while it is there, the others stand by. A group is together as long as one of its members asks for it.
 */
export type AssignmentMode = 'spread' | 'together'

export interface GroupOptions {
  readonly topics: readonly string[]
  readonly groupId: string
  /** Static membership: a process that comes back under this id takes its partitions over without a rebalance. */
  readonly instanceId: string | null
  /** Leave the group on a graceful stop; false keeps a static member's partitions for its successor. */
  readonly leaveOnStop: boolean
  /** `spread` unless given. */
  readonly assignment?: AssignmentMode
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly heartbeatMs?: number
  /** Of what was fetched and not handed over yet, over all brokers; a single batch may exceed it. */
  readonly fetchBytes?: number
}
