import {
  NO_THROTTLE_MS,
  readByTopic,
  topicOf,
  writeByTopic,
  type Api,
  type ByTopic,
  type PartitionStatus,
} from './api.js'
import type {GenerationRequest} from './group-membership.js'

/**
 * ```
 * request   group_id generation member_id instance_id? (7+) retention_ms (2-4)
 *           [topic [partition offset leader_epoch (6+) metadata?]]
 * response  throttle_ms (3+) [topic [partition error]]
 * ```
 */
export const offsetCommit: Api<OffsetCommitRequest, readonly ByTopic<PartitionStatus>[]> = {
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 7],
  decode(reader, version) {
    const groupId = reader.string()
    const generation = reader.int32()
    const memberId = reader.string()
    const instanceId = version >= 7 ? reader.nullableString() : null
    if (version <= 4) reader.int64()
    const topics = readByTopic(reader, () => {
      const partition = reader.int32()
      const offset = reader.int64()
      if (version >= 6) reader.int32()
      return {partition, offset, metadata: reader.nullableString() ?? ''}
    })
    return {groupId, generation, memberId, instanceId, topics}
  },
  encode(writer, topics, version) {
    if (version >= 3) writer.int32(NO_THROTTLE_MS)
    writeByTopic(writer, topics, ({partition, error}) => writer.int32(partition).int16(error))
  },
}

export interface CommittedPosition {
  readonly partition: number
  readonly offset: number
  readonly metadata: string
}

export interface OffsetCommitRequest extends GenerationRequest {
  readonly topics: readonly ByTopic<CommittedPosition>[]
}

/**
 * ```
 * request   group_id [topic [partition]]? (null, meaning all: 2+)
 * response  throttle_ms (3+) [topic [partition offset metadata? error]] error (2+)
 * ```
 */
export const offsetFetch: Api<OffsetFetchRequest, readonly ByTopic<CommittedPosition>[]> = {
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 4],
  decode(reader) {
    const groupId = reader.string()
    return {groupId, topics: reader.nullableArray(() => topicOf(reader, () => reader.int32()))}
  },
  encode(writer, topics, version) {
    if (version >= 3) writer.int32(NO_THROTTLE_MS)
    writeByTopic(writer, topics, ({partition, offset, metadata}) =>
      writer.int32(partition).int64(offset).string(metadata).int16(0),
    )
    if (version >= 2) writer.int16(0)
  },
}

export interface OffsetFetchRequest {
  readonly groupId: string
  readonly topics: readonly ByTopic<number>[] | null
}
