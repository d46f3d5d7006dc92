/**
 * What is counted and measured of a run, by the names that scrapers see behind `streamtool.`, with the words that they
 * get. docs/operations.md has the same table.
 */

/** Totals since the start. */
export const COUNTS = {
  'records.read': 'Records that were read and are done',
  'records.written': 'Records that the output has acknowledged',
  'records.failed': 'Records whose last attempt failed',
  'records.dead.lettered': 'Records that went to the dead-letter topic',
  'records.poison': 'Records that are no chunks of files',
  'files.delivered': 'Files that are at their destination',
  'files.failed': 'Files that cannot be delivered',
  'files.held': 'Times that a file could not be delivered and is kept for later',
  'files.superseded': 'Files in whose place a newer content of their path was delivered',
  'files.parked': 'Files that were given up for want of chunks',
  'files.skipped': 'Files that were not to be delivered, or were there already',
  'files.incomplete': 'Files that were found to lack chunks',
  'files.uploaded': 'Files whose chunks are all acknowledged',
  'bytes.uploaded': 'Bytes of the files whose chunks are all acknowledged',
  'bytes.moved': 'Bytes that were read of files, or handed to their destination, whole or not',
  'bytes.delivered': 'Bytes of the files that are at their destination',
  commits: 'Commits of offsets',
  warnings: 'Warnings, of whatever kind',
} as const

/** What can go up and down, as whoever runs knows it. */
export const LEVELS = {
  'in.flight.records': 'Records that are read and not done',
  'in.flight.bytes': 'Bytes that are read and not acknowledged by the output',
  'files.open': 'Files that are begun and not concluded',
  'oldest.open.file.seconds': 'How long the file that has been open for longest has been so',
  'commit.age.seconds': 'Time since the last commit of offsets',
} as const

/** What can be told from the rest of the snapshot (ports/running.ts). */
export const DERIVED = {
  'partition.position': 'The next offset to be read',
  'partition.safe.offset': 'Everything below this offset is done',
  'partition.end.offset': 'The end of the partition when it was last heard of',
  'partition.lag': 'Offsets between the safe offset and the end',
  'partitions.assigned': 'Partitions of the topic that this process has',
  'poll.age.seconds': 'Time since records, or the news that there are none, came last',
  'kafka.reachable': '1 while the brokers answer, 0 in an outage',
  ready: '1 when ready, as the readiness probe has it',
} as const

export type Count = keyof typeof COUNTS
export type Level = keyof typeof LEVELS
export type Derived = keyof typeof DERIVED
