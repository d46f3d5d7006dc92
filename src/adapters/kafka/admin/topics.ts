/** What is asked about one topic. Each function is one attempt; trying again is {@link ../admin.ts}'s. */
import type {PartitionRange} from '../../../core/ports/index.js'
import type {Cluster} from '../transport/cluster.js'
import {ProtocolFailure, isProtocolFailure} from '../transport/failures.js'
import {errorOfCode} from '../transport/kafkajs-internals.js'
import type {Broker} from '../transport/metadata.js'

const UNKNOWN_TOPIC_OR_PARTITION = 3
const LEADER_NOT_AVAILABLE = 5
const TOPIC_RESOURCE = 2
const READ_COMMITTED = 1
const EARLIEST = -2
const LATEST = -1
const NO_SUCH_OFFSET = -1

/** @throws ProtocolFailure until every partition has a leader */
export async function partitionsOf(cluster: Cluster, topic: string): Promise<readonly number[]> {
  await cluster.refreshMetadata([topic])
  const known = cluster.topic(topic)
  if (known === null) throw new ProtocolFailure(errorOfCode(UNKNOWN_TOPIC_OR_PARTITION))
  if (known.errorCode !== 0) throw new ProtocolFailure(errorOfCode(known.errorCode))
  const withoutLeader = [...known.leaders.values()].includes(null)
  if (withoutLeader || known.leaders.size === 0) throw new ProtocolFailure(errorOfCode(LEADER_NOT_AVAILABLE))
  return [...known.leaders.keys()].sort((a, b) => a - b)
}

/** A broker that creates topics on demand creates it when it is asked for in this way. */
export async function askToCreate(cluster: Cluster, topic: string): Promise<void> {
  const broker = await cluster.controller()
  await cluster.request(broker, 'Metadata', {topics: [topic], allowAutoTopicCreation: true})
}

/** Null when this user may not ask, or the broker does not say. */
export async function maxMessageBytesOf(cluster: Cluster, topic: string): Promise<number | null> {
  const broker = await cluster.leaderOf(topic, 0)
  const configNames = ['max.message.bytes']
  const {resources} = await cluster.request(broker, 'DescribeConfigs', {
    resources: [{type: TOPIC_RESOURCE, name: topic, configNames}],
    includeSynonyms: false,
  })
  const [resource] = resources
  if (resource === undefined) return null
  if (resource.errorCode !== 0) throw new ProtocolFailure(errorOfCode(resource.errorCode))
  const value = Number(
    resource.configEntries.find(({configName}) => configName === configNames[0])?.configValue,
  )
  return Number.isSafeInteger(value) && value > 0 ? value : null
}

export const mayNotBeAsked = (error: unknown): boolean =>
  isProtocolFailure(error, 'TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED')

/** Start and last stable offset of every partition, asked from their leaders side by side. */
export async function partitionRangesOf(cluster: Cluster, topic: string): Promise<readonly PartitionRange[]> {
  const ranges = await fromLeaders(cluster, topic, async (leader, partitions) => {
    const [starts, ends] = await Promise.all([
      listOffsets(cluster, leader, topic, partitions, EARLIEST),
      listOffsets(cluster, leader, topic, partitions, LATEST),
    ])
    return partitions.map((partition) => ({
      topic,
      partition,
      start: starts.get(partition) ?? 0,
      end: ends.get(partition) ?? 0,
    }))
  })
  return ranges.sort((a, b) => a.partition - b.partition)
}

/** Partitions without a record of that time or later are left out. */
export async function offsetsAtOf(
  cluster: Cluster,
  topic: string,
  timestampMs: number,
): Promise<ReadonlyMap<number, number>> {
  const offsets = await fromLeaders(cluster, topic, async (leader, partitions) => [
    ...(await listOffsets(cluster, leader, topic, partitions, timestampMs)),
  ])
  return new Map(offsets.filter(([, offset]) => offset !== NO_SUCH_OFFSET))
}

async function fromLeaders<T>(
  cluster: Cluster,
  topic: string,
  ask: (leader: Broker, partitions: readonly number[]) => Promise<T[]>,
): Promise<T[]> {
  const byLeader = new Map<number, {leader: Broker; partitions: number[]}>()
  for (const partition of await partitionsOf(cluster, topic)) {
    const leader = await cluster.leaderOf(topic, partition)
    const group = byLeader.get(leader.nodeId) ?? {leader, partitions: []}
    group.partitions.push(partition)
    byLeader.set(leader.nodeId, group)
  }
  const answers = await Promise.all(
    [...byLeader.values()].map((group) => ask(group.leader, group.partitions)),
  )
  return answers.flat()
}

async function listOffsets(
  cluster: Cluster,
  leader: Broker,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
): Promise<ReadonlyMap<number, number>> {
  const {responses} = await cluster.request(leader, 'ListOffsets', {
    isolationLevel: READ_COMMITTED,
    topics: [{topic, partitions: partitions.map((partition) => ({partition, timestamp}))}],
  })
  const answers = responses.flatMap((response) => response.partitions)
  const refused = answers.find(({errorCode}) => errorCode !== 0)
  if (refused !== undefined) throw new ProtocolFailure(errorOfCode(refused.errorCode))
  const offsets = new Map(answers.map(({partition, offset}) => [partition, Number(offset)]))
  if (!partitions.every((partition) => offsets.has(partition))) {
    throw new ProtocolFailure(errorOfCode(UNKNOWN_TOPIC_OR_PARTITION))
  }
  return offsets
}
