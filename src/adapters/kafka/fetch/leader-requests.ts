/** What reading asks of the cluster: who leads, the next records, how far a partition reaches. */
import type {PartitionRange} from '../../../core/ports/index.js'
import type {TopicPartition} from '../../../core/record.js'
import type {Cluster} from '../transport/cluster.js'
import {ProtocolFailure, TransportFailure} from '../transport/failures.js'
import {errorOfCode} from '../transport/kafkajs-internals.js'
import type {Broker} from '../transport/metadata.js'
import type {FetchArgs} from '../transport/protocol.js'
import {OLDEST_FETCH_VERSION, decodeFetchAnswer} from './fetch-answer.js'
import type {PartitionAnswer} from './fetch-answer.js'
import type {Ticket} from './fetched-partition.js'

export interface FetchLimits {
  /** How long a broker waits for something to come before it answers with nothing. */
  readonly maxWaitMs: number
  readonly partitionBytes: number
  /** Of the answers of all leaders together. A single batch may exceed both. */
  readonly answerBytes: number
}

/** Of one leader, however many there are, if the limits have that much. */
const LEAST_ANSWER_BYTES = 1024 * 1024

/** Limits as one of several leaders has them. */
export function shareOf(limits: FetchLimits, leaders: () => number): FetchLimits {
  const share = (bytes: number) =>
    Math.max(Math.min(bytes, LEAST_ANSWER_BYTES), Math.floor(bytes / leaders()))
  return {
    get maxWaitMs() {
      return limits.maxWaitMs
    },
    get partitionBytes() {
      return share(limits.partitionBytes)
    },
    get answerBytes() {
      return share(limits.answerBytes)
    },
  }
}

/** @param heldBytes of answers that are held at once: the one that is handed over, and the next */
export function limitsFor(heldBytes: number): FetchLimits {
  const answerBytes = Math.floor(heldBytes / 2)
  return {...DEFAULT_FETCH_LIMITS, answerBytes, partitionBytes: Math.floor(answerBytes / 2)}
}

/** Half an answer for each of two partitions; two answers are held at once at most, see leader-reader.ts. */
export const DEFAULT_FETCH_LIMITS: FetchLimits = {
  maxWaitMs: 500,
  partitionBytes: 8 * 1024 * 1024,
  answerBytes: 16 * 1024 * 1024,
}

const READ_COMMITTED = 1
const READ_UNCOMMITTED = 0
const EARLIEST = -2
const LATEST = -1
const UNKNOWN_SERVER_ERROR = -1

export interface Fetched {
  readonly partitions: readonly PartitionAnswer[]
  /** Into which the records of all partitions are views. */
  readonly frame: Buffer
}

export async function fetchFrom(
  cluster: Cluster,
  broker: Broker,
  tickets: readonly Ticket[],
  limits: FetchLimits,
  signal: AbortSignal,
): Promise<Fetched> {
  const args: FetchArgs = {
    maxWaitTime: limits.maxWaitMs,
    minBytes: 1,
    maxBytes: limits.answerBytes,
    isolationLevel: READ_COMMITTED,
    topics: inRuns(
      tickets.map(({partition: {topic, partition}, offset}) => ({topic, partition, offset})),
      ({partition, offset}) => ({partition, fetchOffset: String(offset), maxBytes: limits.partitionBytes}),
    ),
  }
  const decode = (payload: Buffer, version: number) => {
    if (version >= OLDEST_FETCH_VERSION) return {...decodeFetchAnswer(payload, version), frame: payload}
    throw new TransportFailure('unsupported', broker.host, `${broker.host} is older than Kafka 0.11`)
  }
  const answer = await cluster.request(broker, 'Fetch', args, {decode}, signal)
  if (answer.errorCode !== 0) throw new ProtocolFailure(errorOfCode(answer.errorCode))
  return answer
}

/** As of the last metadata; null while there is none. */
export async function leaderOf(cluster: Cluster, {topic, partition}: TopicPartition): Promise<Broker | null> {
  const nodeId = cluster.topic(topic)?.leaders.get(partition) ?? null
  if (nodeId === null) return null
  return cluster.leaderOf(topic, partition).catch(() => null)
}

export interface PartitionExtent extends PartitionRange {
  /** The end of what is replicated; `end`, the last stable offset, may be before it. */
  readonly highWatermark: number
}

/** One attempt. @throws ProtocolFailure, TransportFailure */
export async function extentsOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<PartitionExtent[]> {
  const byLeader = new Map<number, {leader: Broker; partitions: TopicPartition[]}>()
  for (const partition of partitions) {
    const leader = await cluster.leaderOf(partition.topic, partition.partition, signal)
    const led = byLeader.get(leader.nodeId) ?? {leader, partitions: []}
    led.partitions.push(partition)
    byLeader.set(leader.nodeId, led)
  }
  const extents = await Promise.all(
    [...byLeader.values()].map(async ({leader, partitions: led}) => {
      const [starts, ends, highWatermarks] = await Promise.all([
        listOffsets(cluster, leader, led, READ_COMMITTED, EARLIEST, signal),
        listOffsets(cluster, leader, led, READ_COMMITTED, LATEST, signal),
        listOffsets(cluster, leader, led, READ_UNCOMMITTED, LATEST, signal),
      ])
      return led.map(({topic, partition}) => {
        const name = `${topic}/${partition}`
        return {
          topic,
          partition,
          start: known(starts, name),
          end: known(ends, name),
          highWatermark: known(highWatermarks, name),
        }
      })
    }),
  )
  return extents.flat()
}

async function listOffsets(
  cluster: Cluster,
  leader: Broker,
  partitions: readonly TopicPartition[],
  isolationLevel: 0 | 1,
  timestamp: number,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const topics = inRuns(partitions, ({partition}) => ({partition, timestamp}))
  const {responses} = await cluster.request(leader, 'ListOffsets', {isolationLevel, topics}, {}, signal)
  const offsets = new Map<string, number>()
  for (const {topic, partitions: answers} of responses) {
    for (const {partition, errorCode, offset} of answers) {
      if (errorCode !== 0) throw new ProtocolFailure(errorOfCode(errorCode))
      offsets.set(`${topic}/${partition}`, Number(offset))
    }
  }
  return offsets
}

function known(offsets: ReadonlyMap<string, number>, name: string): number {
  const offset = offsets.get(name)
  if (offset === undefined) throw new ProtocolFailure(errorOfCode(UNKNOWN_SERVER_ERROR))
  return offset
}

/** As requests list them: by topic, but in the order given, which is whose turn it is. */
function inRuns<T extends TopicPartition, P>(
  items: readonly T[],
  write: (item: T) => P,
): {topic: string; partitions: P[]}[] {
  const runs: {topic: string; partitions: P[]}[] = []
  for (const item of items) {
    const last = runs.at(-1)
    if (last?.topic === item.topic) last.partitions.push(write(item))
    else runs.push({topic: item.topic, partitions: [write(item)]})
  }
  return runs
}
