/**
 * Who reads what. The group's leader runs this over what every member told when it joined.
 *
 * Guarantees: the same members and partitions always give the same answer, in whatever order they are listed;
 * nobody gets a topic that it did not ask for; a partition stays with the member that has it as long as that
 * member holds no more than its share; the rest goes to whoever is below theirs, static members in the order
 * of their instance ids before dynamic ones. Members that want the same topics differ by one partition at most.
 */
import type {TopicPartition} from '../../../core/record.js'

/** The protocol's name in the group: members with another one cannot join (INCONSISTENT_GROUP_PROTOCOL). */
export const ASSIGNOR_NAME = 'streamtool-sticky-1'

export interface AssignableMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly topics: readonly string[]
  /** What it held, and in which generation; an older claim yields to a newer one. */
  readonly owned: readonly TopicPartition[]
  readonly ownedGeneration: number
}

export type PartitionCounts = ReadonlyMap<string, number>

/** Every member is in the answer, those that got nothing too. */
export function assignPartitions(
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
  const owners = ownersOf(topic, partitionCount, candidates)
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

function ownersOf(
  topic: string,
  partitionCount: number,
  candidates: readonly Share[],
): (Share | undefined)[] {
  const owners = new Array<Share | undefined>(partitionCount)
  for (const share of candidates) {
    for (const claim of share.member.owned) {
      if (claim.topic !== topic || claim.partition >= partitionCount) continue
      const rival = owners[claim.partition]
      if (!rival || rival.member.ownedGeneration < share.member.ownedGeneration) {
        owners[claim.partition] = share
      }
    }
  }
  return owners
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

/** Not locale-aware: every leader must sort alike. */
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function byStanding(a: AssignableMember, b: AssignableMember): number {
  if ((a.instanceId === null) !== (b.instanceId === null)) return a.instanceId === null ? 1 : -1
  return compare(a.instanceId ?? a.memberId, b.instanceId ?? b.memberId) || compare(a.memberId, b.memberId)
}

function byTopicAndPartition(a: TopicPartition, b: TopicPartition): number {
  return compare(a.topic, b.topic) || a.partition - b.partition
}
