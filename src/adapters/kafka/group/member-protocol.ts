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
 * Our subscriptions say in user_data how the member wants the partitions to be shared out:
 *
 *   wish      => marker:int8 (1) mode:int8 (0 spread, 1 together)
 *
 * Our assignments say there what the leader reckoned with: the partition counts, what this member asked for, and what
 * holds for the group. Whoever sees a topic with more partitions, or has another wish, knows that the group must
 * regroup, whoever leads it. (A static member that comes back gets the assignment of its predecessor, and a static
 * leader is not told that it leads.)
 *
 *   reckoning => marker:int8 (1) [topic:string count:int32] asked:int8 in_force:int8
 */
import type {AssignmentMode} from '../../../core/ports/index.js'
import type {TopicPartition} from '../../../core/record.js'
import type {PartitionCounts} from './assignor.js'
import {BytesReader, BytesWriter, MalformedBytes} from '../bytes.js'

export interface Subscription {
  readonly topics: readonly string[]
  readonly owned: readonly TopicPartition[]
  /** The generation in which `owned` was held; -1 when nothing was. */
  readonly generation: number
  /** Null when the member does not say. */
  readonly assignment: AssignmentMode | null
}

/** What a leader did not say is empty or null. */
export interface Reckoning {
  readonly counts: PartitionCounts
  /** What the leader took this member to ask for. */
  readonly asked: AssignmentMode | null
  readonly inForce: AssignmentMode | null
}

export interface Assignment extends Reckoning {
  readonly partitions: readonly TopicPartition[]
}

const SUBSCRIPTION_VERSION = 2
const ASSIGNMENT_VERSION = 1
const USER_DATA_MARKER = 1
const MODES: readonly AssignmentMode[] = ['spread', 'together']
const NOT_SAID = -1
const NOTHING_SAID: Reckoning = {counts: new Map(), asked: null, inForce: null}
const NO_BYTES = Buffer.alloc(0)

export function encodeSubscription({topics, owned, generation, assignment}: Subscription): Buffer {
  const writer = new BytesWriter()
    .int16(SUBSCRIPTION_VERSION)
    .array(topics, (w, topic) => w.string(topic))
    .bytes(assignment === null ? NO_BYTES : encodeWish(assignment))
  return writePartitions(writer, owned).int32(generation).finish()
}

/** @throws MalformedBytes */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = new BytesReader(bytes)
  const version = reader.int16()
  const topics = reader.array((r) => r.string())
  const assignment = decodeWish(reader.nullableBytes() ?? NO_BYTES)
  const owned = version >= 1 ? readPartitions(reader) : []
  const generation = version >= 2 ? reader.int32() : -1
  return {topics, owned, generation, assignment}
}

export function encodeAssignment({partitions, ...reckoning}: Assignment): Buffer {
  const writer = new BytesWriter().int16(ASSIGNMENT_VERSION)
  return writePartitions(writer, partitions).bytes(encodeReckoning(reckoning)).finish()
}

/**
 * No bytes at all mean no partitions.
 * @throws MalformedBytes
 */
export function decodeAssignment(bytes: Buffer): Assignment {
  if (bytes.length === 0) return {partitions: [], ...NOTHING_SAID}
  const reader = new BytesReader(bytes)
  reader.int16()
  const partitions = readPartitions(reader)
  return {partitions, ...decodeReckoning(reader.nullableBytes() ?? NO_BYTES)}
}

function encodeWish(assignment: AssignmentMode): Buffer {
  return writeMode(new BytesWriter().int8(USER_DATA_MARKER), assignment).finish()
}

function decodeWish(bytes: Buffer): AssignmentMode | null {
  return readUserData(bytes, readMode) ?? null
}

function encodeReckoning({counts, asked, inForce}: Reckoning): Buffer {
  const writer = new BytesWriter()
    .int8(USER_DATA_MARKER)
    .array([...counts], (w, [topic, count]) => w.string(topic).int32(count))
  return writeMode(writeMode(writer, asked), inForce).finish()
}

function decodeReckoning(bytes: Buffer): Reckoning {
  const reckoning = readUserData(bytes, (reader) => ({
    counts: new Map(reader.array((r) => [r.string(), r.int32()] as const)),
    asked: readMode(reader),
    inForce: readMode(reader),
  }))
  return reckoning ?? NOTHING_SAID
}

/** Null for another program's user data, which is none of ours. */
function readUserData<T>(bytes: Buffer, read: (reader: BytesReader) => T): T | null {
  try {
    const reader = new BytesReader(bytes)
    return reader.int8() === USER_DATA_MARKER ? read(reader) : null
  } catch (error) {
    if (error instanceof MalformedBytes) return null
    throw error
  }
}

function writeMode(writer: BytesWriter, mode: AssignmentMode | null): BytesWriter {
  return writer.int8(mode === null ? NOT_SAID : MODES.indexOf(mode))
}

function readMode(reader: BytesReader): AssignmentMode | null {
  return MODES[reader.int8()] ?? null
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
