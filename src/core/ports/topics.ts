/** Asking a cluster about topics and groups. */
import type {TopicPartition} from '../record.js'

export interface TopicDescription {
  readonly topic: string
  /** Names the cluster in commit metadata, so that a map copied to another cluster is known as foreign. */
  readonly clusterId: string
  readonly partitionCount: number
  /** The topic's max.message.bytes: the largest record batch, header included; null when it may not be asked. */
  readonly maxMessageBytes: number | null
}

/** Offsets that can be read: `start <= offset < end`. `end` is the last stable offset. */
export interface PartitionRange extends TopicPartition {
  readonly start: number
  readonly end: number
}

export interface CommittedOffset extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number
  /** At most 4,096 bytes, and may be anybody's. */
  readonly metadata: string
}

export interface GroupMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly host: string
}

export interface TopicAdmin {
  /**
   * @param options.mayCreate lets a broker that creates topics on demand create this one.
   * @throws TOPIC_UNKNOWN, BROKER_UNREACHABLE, NOT_AUTHORISED
   */
  describeTopic(topic: string, options?: {mayCreate?: boolean}): Promise<TopicDescription>
  /** @throws TOPIC_UNKNOWN */
  partitionRanges(topic: string): Promise<readonly PartitionRange[]>
  /**
   * By partition, the first offset whose record is of that time (ms since the epoch) or later; a partition without
   * one is not listed.
   * @throws TOPIC_UNKNOWN
   */
  offsetAt(topic: string, timestampMs: number): Promise<ReadonlyMap<number, number>>
  /** Makes the topic unless it is there; resolves when it can be written to. */
  createTopic(
    topic: string,
    options: {partitions: number; replicationFactor?: number; config?: Record<string, string>},
  ): Promise<void>
  /** Only partitions that have a committed offset are listed. */
  committedOffsets(groupId: string, topic: string): Promise<readonly CommittedOffset[]>
  groupMembers(groupId: string): Promise<readonly GroupMember[]>
  /**
   * Moves an idle group.
   * @throws GROUP_BUSY while the group has members
   */
  resetOffsets(groupId: string, offsets: readonly CommittedOffset[]): Promise<void>
  close(): Promise<void>
}
