/** What is asked about one consumer group, at its coordinator. Each function is one attempt. */
import type {CommittedOffset, GroupMember} from '../../../core/ports/index.js'
import type {Cluster} from '../transport/cluster.js'
import {ProtocolFailure} from '../transport/failures.js'
import {errorOfCode} from '../transport/kafkajs-internals.js'
import type {TopicPartitions} from '../transport/protocol.js'

/** A commit from outside the group; the coordinator takes it only while the group has no members. */
const NO_GENERATION = -1
const NO_MEMBER = ''
const GROUP_ID_NOT_FOUND = 69

export async function groupMembersOf(cluster: Cluster, groupId: string): Promise<readonly GroupMember[]> {
  const coordinator = await cluster.coordinatorOf(groupId)
  const {groups} = await cluster.request(coordinator, 'DescribeGroups', {groupIds: [groupId]})
  const [group] = groups
  if (group === undefined || group.errorCode === GROUP_ID_NOT_FOUND) return []
  if (group.errorCode !== 0) throw new ProtocolFailure(errorOfCode(group.errorCode))
  return group.members.map((member) => ({
    memberId: member.memberId,
    instanceId: member.groupInstanceId,
    clientId: member.clientId,
    host: member.clientHost.replace(/^\//, ''),
  }))
}

export async function committedOffsetsOf(
  cluster: Cluster,
  groupId: string,
  topic: string,
): Promise<readonly CommittedOffset[]> {
  const coordinator = await cluster.coordinatorOf(groupId)
  // No topics: all that the group has committed, so that the topic itself need not exist any more.
  const {responses} = await cluster.request(coordinator, 'OffsetFetch', {groupId, topics: []})
  const partitions = responses
    .filter((response) => response.topic === topic)
    .flatMap((each) => each.partitions)
  const refused = partitions.find(({errorCode}) => errorCode !== 0)
  if (refused !== undefined) throw new ProtocolFailure(errorOfCode(refused.errorCode))
  return partitions
    .map(({partition, offset, metadata}) => ({
      topic,
      partition,
      offset: Number(offset),
      metadata: metadata ?? '',
    }))
    .filter(({offset}) => offset >= 0)
    .sort((a, b) => a.partition - b.partition)
}

/** @throws ProtocolFailure UNKNOWN_MEMBER_ID when the group has members */
export async function commitFromOutside(
  cluster: Cluster,
  groupId: string,
  offsets: readonly CommittedOffset[],
): Promise<void> {
  const coordinator = await cluster.coordinatorOf(groupId)
  const {responses} = await cluster.request(coordinator, 'OffsetCommit', {
    groupId,
    groupGenerationId: NO_GENERATION,
    memberId: NO_MEMBER,
    topics: byTopic(offsets),
  })
  const refused = responses.flatMap((each) => each.partitions).find(({errorCode}) => errorCode !== 0)
  if (refused !== undefined) throw new ProtocolFailure(errorOfCode(refused.errorCode))
}

function byTopic(
  offsets: readonly CommittedOffset[],
): TopicPartitions<{partition: number; offset: string; metadata: string}>[] {
  const topics = [...new Set(offsets.map(({topic}) => topic))]
  return topics.map((topic) => ({
    topic,
    partitions: offsets
      .filter((each) => each.topic === topic)
      .map(({partition, offset, metadata}) => ({partition, offset: String(offset), metadata})),
  }))
}
