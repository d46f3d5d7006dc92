/** What an operator must know of a topic, said once in the log and once as an event. */
import {formatRuns, type IntervalSet} from '../../core/offsets/index.js'
import type {Logger, PartitionRange} from '../../core/ports/index.js'
import type {Reporter} from '../../core/report.js'

/** Of what may be long, so much is named. */
const NAMED = 20

export class Notices {
  private readonly said = new Set<string>()

  constructor(
    private readonly logger: Logger,
    private readonly reporter: Reporter,
  ) {}

  /** @param paths of files that had, or may have had, records there; of most nobody knows */
  trimmed({topic, partition, start}: PartitionRange, lost: IntervalSet, paths: readonly string[]): void {
    const named = paths.length === 0 ? '' : ` Known of them: ${listed(paths)}.`
    this.warn(
      'LOG_TRIMMED',
      `${topic}-${partition}: ${lost.size} offsets that were not done yet (${formatRuns(lost, NAMED)}) are gone from ` +
        `the topic, which now begins at ${start}. Files that had chunks there must be uploaded again.${named}`,
      {partition, offsets: lost.size, start, paths: paths.slice(0, NAMED)},
    )
  }

  truncated(where: string, position: number, {start, end}: {start: number; end: number}): void {
    this.warn(
      'LOG_TRUNCATED',
      `${where} ends at ${end}, before the position ${position}: it was truncated or made anew. ` +
        `Reading it again from ${start}.`,
      {position, end},
    )
  }

  chunksSpread(owned: number, partitionCount: number): void {
    this.once(
      'CHUNKS_SPREAD',
      'This topic has chunks that were not partitioned by file, and this member of the group owns only ' +
        `${owned} of ${partitionCount} partitions: files whose chunks are spread over partitions of several ` +
        'members stay incomplete. Run every member with --assignment together: one reads all partitions, the ' +
        'others stand by.',
      {},
    )
  }

  deadLettersRefused(reason: string): void {
    this.once(
      'DEAD_LETTER_FAILED',
      `The dead-letter topic does not take what is given up; it stays open and is tried again, records at the next start: ${reason}`,
      {},
    )
  }

  private once(code: string, message: string, facts: Record<string, unknown>): void {
    if (this.said.has(code)) return
    this.said.add(code)
    this.warn(code, message, facts)
  }

  private warn(code: string, message: string, facts: Record<string, unknown>): void {
    this.logger.warn(message, {code, ...facts})
    this.reporter.event({...facts, event: 'warning', code, message})
  }
}

const listed = (paths: readonly string[]) =>
  paths.length <= NAMED
    ? paths.join(', ')
    : `${paths.slice(0, NAMED).join(', ')} and ${paths.length - NAMED} more`
