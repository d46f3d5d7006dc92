/** Where one assigned partition stands: its ledger, and where reading goes on. */
import {decodeCommitMetadata, IntervalSet, PartitionLedger} from '../../core/offsets/index.js'
import type {AssignedPartition} from '../../core/ports/index.js'

/** A done run shorter than this is fetched and skipped: cheaper than dropping what is fetched already. */
const SEEK_OVER_RECORDS = 256

export interface PartitionProgress {
  readonly ledger: PartitionLedger
  /** The next offset to be read; behind the ledger's position while records are read once more. */
  readPosition: number
  /** The end of the log when it was last heard of. */
  endOffset: number
}

export interface Resumption {
  readonly progress: PartitionProgress
  /** Offsets between the committed one and the start of the log: trimmed before they were done. */
  readonly trimmed: IntervalSet
  /** The committed offset, when the log ends before it: then everything there is has yet to be read. */
  readonly truncatedFrom: number | null
}

/** Begins where the group's last commit stands, knowing what was done above it. */
export function resume(assigned: AssignedPartition, clusterId: string): Resumption {
  const {topic, partition, start, end, committed} = assigned
  if (committed === null)
    return {progress: fresh({start, end}), trimmed: new IntervalSet(), truncatedFrom: null}
  if (committed.offset > end)
    return {progress: fresh({start, end}), trimmed: new IntervalSet(), truncatedFrom: committed.offset}
  const runs =
    decodeCommitMetadata({clusterId, topic, partition, base: committed.offset}, committed.metadata) ?? []
  // A map that reaches beyond the log is of a log that is no more.
  const beyondLog = runs.some((run) => run.end > end)
  const ledger = new PartitionLedger(committed.offset, beyondLog ? [] : runs)
  const trimmed = ledger.writeOffBelow(start)
  return {
    progress: {ledger, readPosition: ledger.safeOffset, endOffset: end},
    trimmed,
    truncatedFrom: null,
  }
}

export function fresh({start, end}: {readonly start: number; readonly end: number}): PartitionProgress {
  return {ledger: new PartitionLedger(start), readPosition: start, endOffset: end}
}

/** @returns where reading is to go on instead, behind a long run that is done already and begins there; or null */
export function overDone({ledger}: PartitionProgress, offset: number): number | null {
  const target = ledger.afterDone(offset)
  return target - offset >= SEEK_OVER_RECORDS ? target : null
}
