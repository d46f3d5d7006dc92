/**
 * All partitions of a topic for one member, the others stand by: for topics that have the chunks of a file in several
 * partitions, so that only who reads all of them can put it together.
 *
 * Topics that the same members want are decided as one, and go to the same member: whoever holds most of their
 * partitions. So an owner stays the owner while it is there, whoever comes or goes; and when a group that was spread
 * changes to this, what moves is least. Where nobody holds anything, standing decides.
 */
import type {TopicPartition} from '../../../core/record.js'
import {type AssignableMember, byStanding, compare, lastHolders, type PartitionCounts} from './assignable.js'

/** Every member is in the answer, those that stand by with nothing. */
export function assignTogether(
  members: readonly AssignableMember[],
  counts: PartitionCounts,
): Map<string, TopicPartition[]> {
  const assignment = new Map(members.map(({memberId}) => [memberId, [] as TopicPartition[]]))
  const ranked = [...members].sort(byStanding)
  for (const {topics, candidates} of byCandidates([...counts.keys()].sort(compare), ranked)) {
    const owner = ownerOf(topics, candidates, counts)
    if (owner === undefined) continue
    const partitions = assignment.get(owner.memberId)
    for (const topic of topics) {
      for (let partition = 0; partition < (counts.get(topic) ?? 0); partition++)
        partitions?.push({topic, partition})
    }
  }
  return assignment
}

interface Decision {
  readonly topics: string[]
  readonly candidates: readonly AssignableMember[]
}

function byCandidates(topics: readonly string[], members: readonly AssignableMember[]): Iterable<Decision> {
  const decisions = new Map<string, Decision>()
  for (const topic of topics) {
    const candidates = members.filter((member) => member.topics.includes(topic))
    const key = JSON.stringify(candidates.map(({memberId}) => memberId))
    const decision = decisions.get(key)
    if (decision) decision.topics.push(topic)
    else decisions.set(key, {topics: [topic], candidates})
  }
  return decisions.values()
}

function ownerOf(
  topics: readonly string[],
  candidates: readonly AssignableMember[],
  counts: PartitionCounts,
): AssignableMember | undefined {
  const holders = topics.flatMap((topic) => lastHolders(topic, counts.get(topic) ?? 0, candidates))
  const held = (member: AssignableMember) => holders.filter((holder) => holder === member).length
  const [first, ...others] = candidates
  return others.reduce((best, other) => (best && held(other) > held(best) ? other : best), first)
}
