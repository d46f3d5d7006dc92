/** Looks at topics and groups, makes topics, moves idle groups. Every call waits outages out by itself. */
import {StreamtoolError} from '../../core/errors.js'
import type {TopicAdmin} from '../../core/ports/index.js'
import {commitFromOutside, committedOffsetsOf, groupMembersOf} from './admin/groups.js'
import {
  askToCreate,
  maxMessageBytesOf,
  mayNotBeAsked,
  offsetsAtOf,
  partitionRangesOf,
  partitionsOf,
} from './admin/topics.js'
import {translating} from './errors.js'
import type {Cluster} from './transport/cluster.js'
import {ProtocolFailure, isProtocolFailure} from './transport/failures.js'
import {errorOfCode} from './transport/kafkajs-internals.js'

const TOPIC_ALREADY_EXISTS = 36
const CREATE_TIMEOUT_MS = 30_000
/** A topic that somebody else has just made may not be known to every broker yet. */
const UNKNOWN_TOPIC_MS = 1_000
/** A topic that we have had made takes as long as the brokers need. */
const NEW_TOPIC_MS = 15_000
const BROKER_DEFAULT = -1

export function createAdmin(cluster: Cluster): TopicAdmin {
  const {addresses} = cluster

  function aboutTopic<T>(topic: string, unknownMs: number, work: () => Promise<T>): Promise<T> {
    const limitMs = (error: unknown) => (isUnknownTopic(error) ? unknownMs : undefined)
    return translating({addresses, topic}, () => cluster.patiently(work, {limitMs}))
  }

  const aboutGroup = <T>(groupId: string, work: () => Promise<T>): Promise<T> =>
    translating({addresses, groupId}, () => cluster.patiently(work))

  async function refuseBusyGroup(groupId: string): Promise<void> {
    const members = await groupMembersOf(cluster, groupId)
    if (members.length === 0) return
    const names = members.map(({instanceId, clientId, host}) => `${instanceId ?? clientId} on ${host}`)
    throw groupBusy(groupId, `it has ${members.length} members: ${names.join(', ')}`)
  }

  return {
    async describeTopic(topic, {mayCreate = false} = {}) {
      const partitions = await aboutTopic(topic, mayCreate ? NEW_TOPIC_MS : UNKNOWN_TOPIC_MS, async () => {
        try {
          return await partitionsOf(cluster, topic)
        } catch (error) {
          if (mayCreate && isUnknownTopic(error)) await askToCreate(cluster, topic)
          throw error
        }
      })
      const maxMessageBytes = await aboutTopic(topic, UNKNOWN_TOPIC_MS, async () => {
        try {
          return await maxMessageBytesOf(cluster, topic)
        } catch (error) {
          if (mayNotBeAsked(error)) return null
          throw error
        }
      })
      return {topic, clusterId: cluster.clusterId() ?? '', partitionCount: partitions.length, maxMessageBytes}
    },
    partitionRanges: (topic) => aboutTopic(topic, UNKNOWN_TOPIC_MS, () => partitionRangesOf(cluster, topic)),
    offsetAt: (topic, timestampMs) =>
      aboutTopic(topic, UNKNOWN_TOPIC_MS, () => offsetsAtOf(cluster, topic, timestampMs)),
    async createTopic(topic, {partitions, replicationFactor = BROKER_DEFAULT, config = {}}) {
      await aboutTopic(topic, UNKNOWN_TOPIC_MS, async () => {
        const configEntries = Object.entries(config).map(([name, value]) => ({name, value}))
        const {topicErrors} = await cluster.request(await cluster.controller(), 'CreateTopics', {
          topics: [{topic, numPartitions: partitions, replicationFactor, configEntries}],
          validateOnly: false,
          timeout: CREATE_TIMEOUT_MS,
        })
        const refused = topicErrors.find(
          ({errorCode}) => errorCode !== 0 && errorCode !== TOPIC_ALREADY_EXISTS,
        )
        if (refused === undefined) return
        const {errorCode, errorMessage} = refused
        throw new ProtocolFailure(errorOfCode(errorCode), errorMessage ? {detail: errorMessage} : {})
      })
      await aboutTopic(topic, NEW_TOPIC_MS, () => partitionsOf(cluster, topic))
    },
    committedOffsets: (groupId, topic) =>
      aboutGroup(groupId, () => committedOffsetsOf(cluster, groupId, topic)),
    groupMembers: (groupId) => aboutGroup(groupId, () => groupMembersOf(cluster, groupId)),
    resetOffsets: (groupId, offsets) =>
      aboutGroup(groupId, async () => {
        await refuseBusyGroup(groupId)
        try {
          await commitFromOutside(cluster, groupId, offsets)
        } catch (error) {
          // Somebody joined in between; the coordinator guards it.
          if (isProtocolFailure(error, 'UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION')) {
            throw groupBusy(groupId, 'a member has just joined it')
          }
          throw error
        }
      }),
    close: () => cluster.close(),
  }
}

const isUnknownTopic = (error: unknown): boolean => isProtocolFailure(error, 'UNKNOWN_TOPIC_OR_PARTITION')

function groupBusy(groupId: string, reason: string): StreamtoolError {
  return new StreamtoolError('GROUP_BUSY', `group ${groupId} cannot be moved: ${reason}`, {
    facts: {groupId},
    suggestions: ['stop the members of the group first'],
  })
}
