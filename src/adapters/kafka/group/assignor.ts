/**
 * Who reads what. The group's leader runs this over what every member told when it joined.
 *
 * Guarantees: the same members and partitions always give the same answer, in whatever order they are listed;
 * nobody gets a topic that it did not ask for. When one member asks for it, everything is kept together
 * (together.ts). Otherwise it is spread: a partition stays with the member that has it as long as that member holds
 * no more than its share; the rest goes to whoever is below theirs, static members in the order of their instance
 * ids before dynamic ones. Members that want the same topics differ by one partition at most.
 */
import type {AssignmentMode} from '../../../core/ports/index.js'
import type {TopicPartition} from '../../../core/record.js'
import {type AssignableMember, byStanding, compare, lastHolders, type PartitionCounts} from './assignable.js'
import {assignTogether} from './together.js'

export type {AssignableMember, PartitionCounts} from './assignable.js'

/** The protocol's name in the group: members with another one cannot join (INCONSISTENT_GROUP_PROTOCOL). */
export const ASSIGNOR_NAME = 'streamtool-sticky-1'

/** As long as one member needs everything in one place, nobody can have a share. */
export function modeInForce(members: readonly AssignableMember[]): AssignmentMode {
  return members.some(({assignment}) => assignment === 'together') ? 'together' : 'spread'
}

/** Every member is in the answer, those that got nothing too. */
export function assignPartitions(
  members: readonly AssignableMember[],
  counts: PartitionCounts,
): Map<string, TopicPartition[]> {
  return modeInForce(members) === 'together' ? assignTogether(members, counts) : spread(members, counts)
}

function spread(
  members: readonly AssignableMember[],
  counts: PartitionCounts,
): Map<string, TopicPartition[]> {
  const shares = [...members].sort(byStanding).map((member) => new Share(member))
  for (const topic of [...counts.keys()].sort()) {
    shareOutTopic(
      topic,
      counts.get(topic) ?? 0,
      shares.filter((share) => share.wants(topic)),
    )
  }
  return new Map(shares.map((share) => [share.member.memberId, share.partitions]))
}

function shareOutTopic(topic: string, partitionCount: number, candidates: Share[]): void {
  if (candidates.length === 0) return
  const holders = lastHolders(
    topic,
    partitionCount,
    candidates.map(({member}) => member),
  )
  const owners = holders.map((holder) => candidates.find(({member}) => member === holder))
  const free: number[] = []
  const quota = quotas(partitionCount, candidates, owners)
  for (let partition = 0; partition < partitionCount; partition++) {
    const owner = owners[partition]
    if (owner && take(quota, owner)) owner.partitions.push({topic, partition})
    else free.push(partition)
  }
  const open = candidates.filter((share) => (quota.get(share) ?? 0) > 0)
  for (const partition of free) {
    const next = open.find((share) => take(quota, share))
    next?.partitions.push({topic, partition})
  }
  for (const share of candidates) share.partitions.sort(byTopicAndPartition)
}

/**
 * How many partitions of the topic each may hold. Where it does not divide evenly, one more for those that hold
 * fewest so far, and among them for those that have most to keep.
 */
function quotas(
  partitionCount: number,
  candidates: readonly Share[],
  owners: readonly (Share | undefined)[],
): Map<Share, number> {
  const each = Math.floor(partitionCount / candidates.length)
  let extra = partitionCount % candidates.length
  const claims = (share: Share) => owners.filter((owner) => owner === share).length
  const ranked = [...candidates].sort(
    (a, b) => a.partitions.length - b.partitions.length || claims(b) - claims(a),
  )
  return new Map(ranked.map((share) => [share, each + (extra-- > 0 ? 1 : 0)]))
}

function take(quota: Map<Share, number>, share: Share): boolean {
  const left = quota.get(share) ?? 0
  if (left === 0) return false
  quota.set(share, left - 1)
  return true
}

class Share {
  readonly partitions: TopicPartition[] = []
  readonly #topics: ReadonlySet<string>

  constructor(readonly member: AssignableMember) {
    this.#topics = new Set(member.topics)
  }

  wants(topic: string): boolean {
    return this.#topics.has(topic)
  }
}

function byTopicAndPartition(a: TopicPartition, b: TopicPartition): number {
  return compare(a.topic, b.topic) || a.partition - b.partition
}
