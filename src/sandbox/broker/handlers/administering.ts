import {MAX_OFFSET_METADATA, SESSION_TIMEOUT_MS} from '../groups/coordinator.js'
import {checkTopicConfig, effectiveConfig} from '../log/topic-config.js'
import type {TopicPlan} from '../log/topics.js'
import {
  alterConfigs,
  BROKER_RESOURCE,
  CONFIG_SOURCE,
  createPartitions,
  createTopics,
  deleteTopics,
  describeConfigs,
  TOPIC_RESOURCE,
  type ConfigEntry,
  type NewTopic,
} from '../protocol/administration.js'
import {attempt, Refusal} from '../protocol/errors.js'
import {route, type Route} from './dispatcher.js'
import type {BrokerState} from './state.js'

/** Making, changing and deleting topics. */
export function administeringRoutes({node, topics, groups}: BrokerState): Route[] {
  const entriesOf = (type: number, name: string): ConfigEntry[] => {
    if (type === TOPIC_RESOURCE) {
      return effectiveConfig(topics.get(name).config).map(({isDefault, ...entry}) => {
        return {...entry, isReadOnly: false, source: isDefault ? CONFIG_SOURCE.default : CONFIG_SOURCE.topic}
      })
    }
    if (type !== BROKER_RESOURCE || name !== String(node.nodeId)) throw new Refusal('INVALID_REQUEST')
    return BROKER_CONFIG
  }
  /** One item's answer in a list where each may fail by itself. */
  const status = <Item>(item: Item, work: () => void) => {
    const {error, message} = attempt(work)
    return {...item, error, message}
  }

  return [
    route(createTopics, ({topics: asked, validateOnly}) => ({
      topics: asked.map((wanted) =>
        status({topic: wanted.topic}, () => {
          const plan = planTopic(wanted, node.nodeId)
          if (validateOnly) topics.checkPlan(plan)
          else topics.create(plan)
        }),
      ),
    })),
    route(createPartitions, ({topics: asked, validateOnly}) => ({
      topics: asked.map(({topic, partitionCount}) =>
        status({topic}, () => topics.grow(topic, partitionCount, {validateOnly})),
      ),
    })),
    route(deleteTopics, ({topics: names}) => ({
      topics: names.map((topic) =>
        status({topic}, () => {
          topics.delete(topic)
          groups.topicDeleted(topic)
        }),
      ),
    })),
    route(describeConfigs, ({resources}) => ({
      resources: resources.map(({type, name, configNames}) => {
        const {error, message, value} = attempt(() => entriesOf(type, name))
        const entries = (value ?? []).filter((entry) => configNames?.includes(entry.name) ?? true)
        return {error, message, type, name, entries}
      }),
    })),
    route(alterConfigs, ({resources, validateOnly}) => ({
      resources: resources.map(({type, name, config}) =>
        status({type, name}, () => {
          if (type !== TOPIC_RESOURCE) throw new Refusal('INVALID_REQUEST', 'only topics have settings here')
          const checked = checkTopicConfig(config)
          const topic = topics.get(name)
          if (!validateOnly) topic.setConfig(checked)
        }),
      ),
    })),
  ]
}

const BROKER_CONFIG: ConfigEntry[] = Object.entries({
  'auto.create.topics.enable': 'true',
  'group.max.session.timeout.ms': String(SESSION_TIMEOUT_MS.max),
  'group.min.session.timeout.ms': String(SESSION_TIMEOUT_MS.min),
  'offset.metadata.max.bytes': String(MAX_OFFSET_METADATA),
  'offsets.retention.minutes': '2147483647',
}).map(([name, value]) => ({name, value, isReadOnly: true, source: CONFIG_SOURCE.default}))

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
