/** Where a group stands on a topic: what it has committed, read as its next member would read it. */
import type {GroupPartition} from '../../core/inspect-report.js'
import {decodeCommitMetadata, PartitionLedger} from '../../core/offsets/index.js'
import type {CommittedOffset, PartitionRange, TopicAdmin} from '../../core/ports/index.js'

export interface StandingGroup {
  readonly group: string
  readonly members: number
  readonly partitions: readonly GroupPartition[]
  isDone(partition: number, offset: number): boolean
}

/** Asks after the ranges were taken, so that the group is never behind what is told of the topic. */
export async function standingOf(
  admin: TopicAdmin,
  group: string,
  topic: string,
  ranges: readonly PartitionRange[],
): Promise<StandingGroup> {
  const [{clusterId}, committed, members] = await Promise.all([
    admin.describeTopic(topic),
    admin.committedOffsets(group, topic),
    admin.groupMembers(group),
  ])
  const standings = ranges.map((range) => {
    const found = committed.find(({partition}) => partition === range.partition) ?? null
    return standingIn(range, found, clusterId)
  })
  const ledgers = new Map(standings.map(({facts, ledger}) => [facts.partition, ledger]))
  return {
    group,
    members: members.length,
    partitions: standings.map(({facts}) => facts),
    isDone: (partition, offset) => ledgers.get(partition)?.isDone(offset) ?? false,
  }
}

function standingIn(range: PartitionRange, committed: CommittedOffset | null, clusterId: string) {
  const {topic, partition, start, end} = range
  if (committed === null) {
    const toRead = end - start
    const facts: GroupPartition = {
      partition,
      safeOffset: null,
      doneAbove: 0,
      map: 'none',
      lag: toRead,
      toRead,
    }
    return {facts, ledger: new PartitionLedger(start)}
  }
  const {offset: safeOffset, metadata} = committed
  const runs = decodeCommitMetadata({clusterId, topic, partition, base: safeOffset}, metadata)
  const ledger = new PartitionLedger(safeOffset, runs ?? [])
  const lag = Math.max(0, end - Math.max(safeOffset, start))
  const {doneAbove} = ledger
  const facts: GroupPartition = {
    partition,
    safeOffset,
    doneAbove,
    map: runs !== null ? 'ours' : metadata === '' ? 'none' : 'foreign',
    lag,
    toRead: Math.max(0, lag - doneAbove),
  }
  return {facts, ledger}
}
