/**
 * What has been read, what is done, and what may be committed.
 *
 * Every record's offset is open from the moment it is seen until the outcome of its file is durable; then it is
 * done. Per partition a ledger keeps the done offsets as runs. The safe offset is the lowest open one (or the
 * next to be read): below it nothing is open, so that is what is committed. The runs done above it travel in the
 * metadata of the same commit. A new owner starts at the safe offset, jumps over those runs, and so reads again
 * exactly what was open, on any host, without any local state. Delivered again is only what was finished since the
 * last commit, and runs that did not fit into its 4,096 bytes (the shortest are left off first).
 *
 * Guarantees
 * - The committed offset never passes an open offset, whatever the order in which files finish.
 * - Offsets that no record was seen at (control records, aborted, compacted, trimmed) never hold it back.
 * - A map that is not exactly ours (cluster, topic, base offset, checksum) is ignored; ignoring it costs reading
 *   and delivering again, never a loss.
 * - A commit goes through the epoch it was built for, is tried once, and is built anew after a failure: a stale
 *   ledger cannot overwrite a newer one.
 */
export {
  CommitManager,
  type CommitManagerOptions,
  type CommitTarget,
  type CommittedPartition,
} from './commit-manager.js'
export {
  decodeCommitMetadata,
  encodeCommitMetadata,
  MAX_METADATA_BYTES,
  type CommitScope,
} from './commit-metadata.js'
export {IntervalSet, type Run} from './interval-set.js'
export {LEDGER_EFFECT, type LedgerEffect, type OutcomeName} from './ledger-effect.js'
export {PartitionLedger} from './partition-ledger.js'
export {formatRuns, parseRuns} from './run-text.js'
