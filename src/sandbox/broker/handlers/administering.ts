import {MAX_OFFSET_METADATA} from '../groups/coordinator.js'
import {checkTopicConfig, effectiveConfig} from '../log/topic-config.js'
import type {TopicPlan} from '../log/topics.js'
import {
  alterConfigs,
  BROKER_RESOURCE,
  describeConfigs,
  TOPIC_RESOURCE,
  type ConfigEntry,
  type ConfigResource,
} from '../protocol/configs.js'
import {attempt, Refusal} from '../protocol/errors.js'
import {createPartitions, createTopics, deleteTopics, type NewTopic} from '../protocol/topic-admin.js'
import {route, type Route} from './dispatcher.js'
import type {BrokerState} from './state.js'

/** Making, changing and deleting topics. */
export function administeringRoutes({node, topics, groups}: BrokerState): Route[] {
  const entriesOf = ({type, name}: ConfigResource): ConfigEntry[] => {
    if (type === TOPIC_RESOURCE) {
      return effectiveConfig(topics.get(name).config).map(({isDefault, ...entry}) => {
        return {...entry, readOnly: false, source: isDefault ? 'default' : 'topic'}
      })
    }
    if (type !== BROKER_RESOURCE || name !== String(node.nodeId)) throw new Refusal('INVALID_REQUEST')
    return BROKER_CONFIG
  }

  return [
    route(createTopics, ({topics: asked, validateOnly}) =>
      asked.map((wanted) => {
        const {error, message} = attempt(() => {
          const plan = planTopic(wanted, node.nodeId)
          if (validateOnly) topics.checkPlan(plan)
          else topics.create(plan)
        })
        return {topic: wanted.topic, error, message}
      }),
    ),
    route(createPartitions, ({topics: asked, validateOnly}) =>
      asked.map(({topic, partitionCount}) => {
        const {error, message} = attempt(() => topics.grow(topic, partitionCount, {validateOnly}))
        return {topic, error, message}
      }),
    ),
    route(deleteTopics, (names) =>
      names.map((topic) => {
        const {error, message} = attempt(() => {
          topics.delete(topic)
          groups.topicDeleted(topic)
        })
        return {topic, error, message}
      }),
    ),
    route(describeConfigs, (queries) =>
      queries.map((query) => {
        const {error, message, value} = attempt(() => entriesOf(query))
        const entries = (value ?? []).filter(({name}) => query.keys === null || query.keys.includes(name))
        return {error, message, type: query.type, name: query.name, entries}
      }),
    ),
    route(alterConfigs, ({resources, validateOnly}) =>
      resources.map(({type, name, config}) => {
        const {error, message} = attempt(() => {
          if (type !== TOPIC_RESOURCE) throw new Refusal('INVALID_REQUEST', 'only topics have settings here')
          const checked = checkTopicConfig(config)
          const topic = topics.get(name)
          if (!validateOnly) topic.setConfig(checked)
        })
        return {error, message, type, name}
      }),
    ),
  ]
}

const BROKER_CONFIG: ConfigEntry[] = [
  {name: 'auto.create.topics.enable', value: 'true', readOnly: true, source: 'broker'},
  {name: 'offset.metadata.max.bytes', value: String(MAX_OFFSET_METADATA), readOnly: true, source: 'broker'},
  {name: 'offsets.retention.minutes', value: '2147483647', readOnly: true, source: 'broker'},
]

/** @throws Refusal INVALID_CONFIG, INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT, INVALID_REQUEST */
function planTopic(
  {topic, partitionCount, replicationFactor, assignments, config}: NewTopic,
  nodeId: number,
): TopicPlan {
  if (replicationFactor !== 1 && replicationFactor !== -1) {
    throw new Refusal('INVALID_REPLICATION_FACTOR', 'the sandbox is a single node')
  }
  if (assignments.length === 0) return {topic, partitionCount, config: checkTopicConfig(config)}
  if (partitionCount !== -1) throw new Refusal('INVALID_REQUEST', 'both a partition count and assignments')
  const isPossible = assignments.every(({partition, nodes}, index) => {
    return partition === index && nodes.length === 1 && nodes[0] === nodeId
  })
  if (!isPossible) throw new Refusal('INVALID_REPLICA_ASSIGNMENT', 'the sandbox is a single node')
  return {topic, partitionCount: assignments.length, config: checkTopicConfig(config)}
}
