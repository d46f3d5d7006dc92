/** What the leader knows of the members when it shares out. */
import type {AssignmentMode} from '../../../core/ports/index.js'
import type {TopicPartition} from '../../../core/record.js'

export interface AssignableMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly topics: readonly string[]
  /** What it held, and in which generation; an older claim yields to a newer one. */
  readonly owned: readonly TopicPartition[]
  readonly ownedGeneration: number
  /** What it asks for; null when it does not say, which is as good as `spread`. */
  readonly assignment: AssignmentMode | null
}

export type PartitionCounts = ReadonlyMap<string, number>

/** Who held each partition of the topic last, by what the members claim. */
export function lastHolders<Member extends AssignableMember>(
  topic: string,
  partitionCount: number,
  members: readonly Member[],
): (Member | undefined)[] {
  const holders = new Array<Member | undefined>(partitionCount)
  for (const member of members) {
    for (const claim of member.owned) {
      if (claim.topic !== topic || claim.partition >= partitionCount) continue
      const rival = holders[claim.partition]
      if (!rival || rival.ownedGeneration < member.ownedGeneration) holders[claim.partition] = member
    }
  }
  return holders
}

/** Not locale-aware: every leader must sort alike. */
export const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Static members in the order of their instance ids, then dynamic ones. */
export function byStanding(a: AssignableMember, b: AssignableMember): number {
  if ((a.instanceId === null) !== (b.instanceId === null)) return a.instanceId === null ? 1 : -1
  return compare(a.instanceId ?? a.memberId, b.instanceId ?? b.memberId) || compare(a.memberId, b.memberId)
}
