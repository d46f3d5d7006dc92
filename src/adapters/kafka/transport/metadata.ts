/** What the cluster said of itself, as a value: brokers, and the leaders of the topics that were asked for. */
import {ProtocolFailure} from './failures.js'
import {errorOfCode} from './kafkajs-internals.js'
import type {MetadataAnswer} from './protocol.js'

export interface Broker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface TopicMetadata {
  /** 0, or why there is nothing to say of this topic: unknown (3), not authorised (29), … */
  readonly errorCode: number
  /** Node id of each partition's leader; null while there is none. */
  readonly leaders: ReadonlyMap<number, number | null>
}

export interface ClusterMetadata {
  readonly clusterId: string | null
  readonly controllerId: number
  readonly brokers: ReadonlyMap<number, Broker>
  readonly topics: ReadonlyMap<string, TopicMetadata>
}

const NO_LEADER = -1
const UNKNOWN_TOPIC_OR_PARTITION = 3
const LEADER_NOT_AVAILABLE = 5

/** The newer answer's brokers, and its topics over those of earlier answers. */
export function mergeMetadata(earlier: ClusterMetadata | null, answer: MetadataAnswer): ClusterMetadata {
  const topics = new Map(earlier?.topics)
  for (const {topic, topicErrorCode, partitionMetadata} of answer.topicMetadata) {
    topics.set(topic, {
      errorCode: topicErrorCode,
      leaders: new Map(
        partitionMetadata.map(({partitionId, leader}) => [partitionId, leader === NO_LEADER ? null : leader]),
      ),
    })
  }
  return {
    clusterId: answer.clusterId,
    controllerId: answer.controllerId,
    brokers: new Map(answer.brokers.map((broker) => [broker.nodeId, broker])),
    topics,
  }
}

/** Or why there is none to name. */
export function leaderIn(
  metadata: ClusterMetadata | null,
  topic: string,
  partition: number,
): Broker | ProtocolFailure {
  const known = metadata?.topics.get(topic)
  if (metadata === null || known === undefined)
    return new ProtocolFailure(errorOfCode(UNKNOWN_TOPIC_OR_PARTITION))
  if (known.errorCode !== 0) return new ProtocolFailure(errorOfCode(known.errorCode))
  const nodeId = known.leaders.get(partition)
  if (nodeId === undefined) {
    const detail = `the topic has ${known.leaders.size} partitions, none with number ${partition}`
    return new ProtocolFailure(errorOfCode(UNKNOWN_TOPIC_OR_PARTITION), {detail})
  }
  const broker = nodeId === null ? undefined : metadata.brokers.get(nodeId)
  return broker ?? new ProtocolFailure(errorOfCode(LEADER_NOT_AVAILABLE))
}

export function controllerIn(metadata: ClusterMetadata | null): Broker | ProtocolFailure {
  const broker = metadata?.brokers.get(metadata.controllerId)
  return broker ?? new ProtocolFailure(errorOfCode(LEADER_NOT_AVAILABLE))
}
