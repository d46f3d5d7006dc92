import type {Topic} from '../log/topic.js'
import {findCoordinator, GROUP_KEY, metadata} from '../protocol/cluster.js'
import {attempt, KafkaError, type KafkaError as KafkaErrorCode} from '../protocol/errors.js'
import {route, type Route} from './dispatcher.js'
import {warnOfTransactions, type BrokerState} from './state.js'

const NO_NODE = {nodeId: -1, host: '', port: -1}

/** Where things are: everything on the one node. */
export function clusterRoutes({node, identity, topics, logger}: BrokerState): Route[] {
  const {nodeId} = node
  const replicas = {leader: nodeId, replicas: [nodeId], inSyncReplicas: [nodeId]}
  const partitionsOf = (topic: Topic | undefined) =>
    Array.from({length: topic?.partitionCount ?? 0}, (_, partition) => ({partition, ...replicas}))
  const missingTopicError = (topic: string, mayCreate: boolean): KafkaErrorCode => {
    const plan = {topic, partitionCount: -1, config: {}}
    if (mayCreate) return attempt(() => topics.create(plan)).error
    return attempt(() => topics.checkPlan(plan)).error || KafkaError.UNKNOWN_TOPIC_OR_PARTITION
  }
  return [
    route(metadata, ({topics: asked, mayCreate}) => ({
      nodes: [node],
      clusterId: identity.clusterId,
      controllerId: nodeId,
      topics: (asked ?? topics.names()).map((topic) => {
        const error = topics.find(topic) ? KafkaError.NONE : missingTopicError(topic, mayCreate)
        return {error, topic, partitions: partitionsOf(topics.find(topic))}
      }),
    })),
    route(findCoordinator, ({keyType}, client) => {
      if (keyType === GROUP_KEY) return {error: KafkaError.NONE, message: null, ...node}
      warnOfTransactions(logger, client)
      const error = KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      return {error, message: 'the sandbox has no transactions', ...NO_NODE}
    }),
  ]
}
