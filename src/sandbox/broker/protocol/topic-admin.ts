import {NO_THROTTLE_MS, type Api} from './api.js'
import type {WireReader} from './wire-reader.js'
import type {WireWriter} from './wire-writer.js'

export interface TopicStatus {
  readonly topic: string
  readonly error: number
  readonly message: string | null
}

/** The answer to CreateTopics and CreatePartitions: `throttle_ms [topic error error_message?]` */
function encodeTopicStatus(writer: WireWriter, topics: readonly TopicStatus[]): void {
  writer.int32(NO_THROTTLE_MS)
  writer.array(topics, ({topic, error, message}) => writer.string(topic).int16(error).string(message))
}

/**
 * ```
 * request   [topic] timeout_ms validate_only
 *   topic   name partition_count replication_factor [partition [node_id]] [config_name config_value?]
 * ```
 */
export const createTopics: Api<CreateTopicsRequest, readonly TopicStatus[]> = {
  key: 19,
  name: 'CreateTopics',
  versions: [2, 3],
  decode(reader) {
    const topics = reader.array(() => ({
      topic: reader.string(),
      partitionCount: reader.int32(),
      replicationFactor: reader.int16(),
      assignments: reader.array(() => ({partition: reader.int32(), nodes: readNodes(reader)})),
      config: new Map(reader.array(() => [reader.string(), reader.nullableString()] as const)),
    }))
    reader.int32()
    return {topics, validateOnly: reader.boolean()}
  },
  encode: encodeTopicStatus,
}

export interface CreateTopicsRequest {
  readonly topics: readonly NewTopic[]
  readonly validateOnly: boolean
}

export interface NewTopic {
  readonly topic: string
  /** -1: the broker's default, or as many as there are assignments. */
  readonly partitionCount: number
  /** -1: the broker's default. */
  readonly replicationFactor: number
  readonly assignments: readonly {readonly partition: number; readonly nodes: readonly number[]}[]
  readonly config: ReadonlyMap<string, string | null>
}

/**
 * ```
 * request   [topic count [[node_id]]?] timeout_ms validate_only
 * ```
 */
export const createPartitions: Api<CreatePartitionsRequest, readonly TopicStatus[]> = {
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 1],
  decode(reader) {
    const topics = reader.array(() => {
      const topic = reader.string()
      const partitionCount = reader.int32()
      reader.nullableArray(() => readNodes(reader))
      return {topic, partitionCount}
    })
    reader.int32()
    return {topics, validateOnly: reader.boolean()}
  },
  encode: encodeTopicStatus,
}

export interface CreatePartitionsRequest {
  readonly topics: readonly {readonly topic: string; readonly partitionCount: number}[]
  readonly validateOnly: boolean
}

/**
 * ```
 * request   [topic] timeout_ms
 * response  throttle_ms [topic error]
 * ```
 */
export const deleteTopics: Api<readonly string[], readonly TopicStatus[]> = {
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 3],
  decode: (reader) => reader.array(() => reader.string()),
  encode(writer, topics) {
    writer.int32(NO_THROTTLE_MS).array(topics, ({topic, error}) => writer.string(topic).int16(error))
  },
}

function readNodes(reader: WireReader): number[] {
  return reader.array(() => reader.int32())
}
