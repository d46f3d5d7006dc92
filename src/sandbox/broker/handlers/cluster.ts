import {attempt, KafkaError, type KafkaError as KafkaErrorCode} from '../protocol/errors.js'
import {findCoordinator, GROUP_KEY} from '../protocol/group-admin.js'
import {metadata} from '../protocol/metadata.js'
import {route, type Route} from './dispatcher.js'
import type {BrokerState} from './state.js'

const NO_NODE = {nodeId: -1, host: '', port: -1}

/** Where things are: everything on the one node. */
export function clusterRoutes({node, identity, topics}: BrokerState): Route[] {
  const missingTopicError = (topic: string, mayCreate: boolean): KafkaErrorCode => {
    const plan = {topic, partitionCount: -1, config: {}}
    if (mayCreate) return attempt(() => topics.create(plan)).error
    return attempt(() => topics.checkPlan(plan)).error || KafkaError.UNKNOWN_TOPIC_OR_PARTITION
  }
  return [
    route(metadata, ({topics: asked, mayCreate}) => ({
      node,
      clusterId: identity.clusterId,
      topics: (asked ?? topics.names()).map((topic) => {
        const error = topics.find(topic) ? KafkaError.NONE : missingTopicError(topic, mayCreate)
        return {error, topic, partitionCount: topics.find(topic)?.partitionCount ?? 0}
      }),
    })),
    route(findCoordinator, ({keyType}) => {
      if (keyType === GROUP_KEY) return {error: KafkaError.NONE, message: null, node}
      const error = KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      return {error, message: 'the sandbox has no transactions', node: NO_NODE}
    }),
  ]
}
