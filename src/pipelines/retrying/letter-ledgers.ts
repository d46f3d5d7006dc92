/** Which letters of a dead-letter topic are done, as the offsets of a group of its own say it. */
import {encodeCommitMetadata} from '../../core/offsets/index.js'
import type {StepObserver, TopicAdmin} from '../../core/ports/index.js'
import {resume} from '../delivery/partition-progress.js'
import {PartitionTable} from '../delivery/partition-table.js'

export interface LetterGroup {
  /** The dead-letter topic. */
  readonly from: string
  readonly group: string
}

export async function ledgersOf(
  {from, group}: LetterGroup,
  admin: TopicAdmin,
  clusterId: string,
): Promise<PartitionTable> {
  const ranges = await admin.partitionRanges(from)
  const committed = new Map((await admin.committedOffsets(group, from)).map((each) => [each.partition, each]))
  const table = new PartitionTable()
  for (const range of ranges)
    table.set(
      range.partition,
      resume({...range, committed: committed.get(range.partition) ?? null}, clusterId).progress,
    )
  return table
}

/** @throws GROUP_BUSY */
export async function commitLetters(
  {from, group}: LetterGroup,
  {admin, steps}: {readonly admin: TopicAdmin; readonly steps: StepObserver},
  ledgers: PartitionTable,
  clusterId: string,
): Promise<void> {
  const offsets = ledgers.ledgers().map(([partition, ledger]) => {
    const offset = ledger.safeOffset
    const scope = {clusterId, topic: from, partition, base: offset}
    return {topic: from, partition, offset, metadata: encodeCommitMetadata(scope, ledger.doneRuns()).metadata}
  })
  steps.reached('before-commit')
  await admin.resetOffsets(group, offsets)
  steps.reached('after-commit')
}
