/**
 * What members of a `consumer` group tell each other through the coordinator, in Kafka's own layouts
 * (ConsumerProtocolSubscription.json and ConsumerProtocolAssignment.json of Apache Kafka), so that brokers and
 * admin tools can read them:
 *
 *   Subscription => version:int16 topics:[string] user_data:bytes            version 0 and up
 *                   owned:[topic:string [partition:int32]]                   version 1 and up
 *                   generation:int32                                         version 2 and up
 *   Assignment   => version:int16 [topic:string [partition:int32]] user_data:bytes
 *
 * Our assignments carry in user_data the partition counts that the leader reckoned with; a member that sees a
 * topic with more knows that the group must regroup, whoever leads it (a static leader that restarted is not
 * told that it leads):
 *
 *   counts => marker:int8 (1) [topic:string count:int32]
 */
import type {TopicPartition} from '../../../core/record.js'
import type {PartitionCounts} from './assignor.js'
import {BytesReader, BytesWriter, MalformedBytes} from '../bytes.js'

export interface Subscription {
  readonly topics: readonly string[]
  readonly owned: readonly TopicPartition[]
  /** The generation in which `owned` was held; -1 when nothing was. */
  readonly generation: number
}

export interface Assignment {
  readonly partitions: readonly TopicPartition[]
  /** Empty when the leader did not say. */
  readonly counts: PartitionCounts
}

const SUBSCRIPTION_VERSION = 2
const ASSIGNMENT_VERSION = 1
const COUNTS_MARKER = 1
const NO_BYTES = Buffer.alloc(0)

export function encodeSubscription({topics, owned, generation}: Subscription): Buffer {
  const writer = new BytesWriter()
    .int16(SUBSCRIPTION_VERSION)
    .array(topics, (w, topic) => w.string(topic))
    .bytes(NO_BYTES)
  return writePartitions(writer, owned).int32(generation).finish()
}

/** @throws MalformedBytes */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = new BytesReader(bytes)
  const version = reader.int16()
  const topics = reader.array((r) => r.string())
  reader.nullableBytes()
  const owned = version >= 1 ? readPartitions(reader) : []
  const generation = version >= 2 ? reader.int32() : -1
  return {topics, owned, generation}
}

export function encodeAssignment({partitions, counts}: Assignment): Buffer {
  const writer = new BytesWriter().int16(ASSIGNMENT_VERSION)
  return writePartitions(writer, partitions).bytes(encodeCounts(counts)).finish()
}

/**
 * No bytes at all mean no partitions.
 * @throws MalformedBytes
 */
export function decodeAssignment(bytes: Buffer): Assignment {
  if (bytes.length === 0) return {partitions: [], counts: new Map()}
  const reader = new BytesReader(bytes)
  reader.int16()
  const partitions = readPartitions(reader)
  return {partitions, counts: decodeCounts(reader.nullableBytes() ?? NO_BYTES)}
}

function encodeCounts(counts: PartitionCounts): Buffer {
  return new BytesWriter()
    .int8(COUNTS_MARKER)
    .array([...counts], (w, [topic, count]) => w.string(topic).int32(count))
    .finish()
}

/** Another program's user data is none of ours. */
function decodeCounts(bytes: Buffer): PartitionCounts {
  try {
    const reader = new BytesReader(bytes)
    if (reader.int8() !== COUNTS_MARKER) return new Map()
    return new Map(reader.array((r) => [r.string(), r.int32()] as const))
  } catch (error) {
    if (error instanceof MalformedBytes) return new Map()
    throw error
  }
}

function writePartitions(writer: BytesWriter, partitions: readonly TopicPartition[]): BytesWriter {
  const byTopic = new Map<string, number[]>()
  for (const {topic, partition} of partitions) {
    const indexes = byTopic.get(topic)
    if (indexes) indexes.push(partition)
    else byTopic.set(topic, [partition])
  }
  return writer.array([...byTopic], (w, [topic, indexes]) =>
    w.string(topic).array(indexes, (w2, index) => w2.int32(index)),
  )
}

function readPartitions(reader: BytesReader): TopicPartition[] {
  const byTopic = reader.array((r) => ({topic: r.string(), indexes: r.array((r2) => r2.int32())}))
  return byTopic.flatMap(({topic, indexes}) =>
    indexes.map((partition) => {
      if (partition < 0) throw new MalformedBytes(`partition ${partition} of ${topic}`)
      return {topic, partition}
    }),
  )
}
