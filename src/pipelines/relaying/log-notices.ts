/** What an operator must know of an input that has lost records. */
import {formatRuns, type IntervalSet} from '../../core/offsets/index.js'
import type {Logger, PartitionRange} from '../../core/ports/index.js'
import type {Reporter} from '../../core/report.js'

/** Of what may be long, so much is named. */
const NAMED = 20

export class LogNotices {
  /** Records were removed from an input before they were done. */
  recordsLost = false

  constructor(
    private readonly logger: Logger,
    private readonly reporter: Reporter,
  ) {}

  trimmed({topic, partition, start}: PartitionRange, lost: IntervalSet): void {
    if (lost.size === 0) return
    this.recordsLost = true
    this.warn(
      'LOG_TRIMMED',
      `${topic}-${partition}: ${lost.size} offsets that were not done yet (${formatRuns(lost, NAMED)}) are gone from ` +
        `the topic, which now begins at ${start}. They were not passed on.`,
      {topic, partition, offsets: lost.size, start},
    )
  }

  truncated({topic, partition, start, end}: PartitionRange, position: number): void {
    this.warn(
      'LOG_TRUNCATED',
      `${topic}-${partition} ends at ${end}, before the position ${position}: it was truncated or made anew. ` +
        `Reading it again from ${start}.`,
      {topic, partition, position, end},
    )
  }

  private warn(code: string, message: string, facts: Record<string, unknown>): void {
    this.logger.warn(message, {code, ...facts})
    this.reporter.event({...facts, event: 'warning', code, message})
  }
}
