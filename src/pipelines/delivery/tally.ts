/** Counts what happens to files and records, tells it as events, and sums it up. */
import type {OpenFile, Conclusion} from '../../core/reassembly/index.js'
import {ExitCode, worstExitCode} from '../../core/errors.js'
import type {IntervalSet} from '../../core/offsets/index.js'
import type {Logger, TopicPartition} from '../../core/ports/index.js'
import type {Poison} from '../../core/chunk/index.js'
import type {DeliverReport, PipelineResult, Problem, Reporter} from '../../core/report.js'

/** Beyond so many, poison records are still events and counted, but no longer lines of the log. */
const POISON_WARNINGS = 10

export class Tally {
  records = 0
  bytes = 0
  poison = 0
  delivered = 0
  private superseded = 0
  private unchanged = 0
  /** By path: a file that was held and is delivered later is no problem any more. */
  private readonly problems = new Map<string, {readonly problem: Problem; readonly exitCode: ExitCode}>()

  constructor(
    private readonly reporter: Reporter,
    private readonly logger: Logger,
  ) {}

  concluded({file, outcome, sizeBytes, error}: Conclusion): void {
    const {path} = file
    if (outcome === 'delivered' || outcome === 'superseded') {
      if (outcome === 'delivered') {
        this.delivered += 1
        this.bytes += sizeBytes
        this.problems.delete(path)
      } else this.superseded += 1
      this.reporter.event({
        event: `file.${outcome}`,
        path,
        bytes: sizeBytes,
        chunks: file.chunkCount,
        partition: file.order.partition,
        sha512: file.sha512.toString('hex'),
        uploadId: file.uploadId,
      })
      return
    }
    if (outcome === 'unchanged') {
      this.unchanged += 1
      const reason = 'The destination has it already, from before the last restart.'
      this.reporter.event({event: 'file.skipped', path, code: 'ALREADY_DELIVERED', reason})
      return
    }
    const code = error?.code ?? 'FILE_HELD'
    const reason = error?.message ?? 'It could not be delivered.'
    this.problems.set(path, {
      problem: {path, outcome, code, reason},
      exitCode: error?.exitCode ?? ExitCode.filesUnfinished,
    })
    this.reporter.event({event: `file.${outcome}`, path, code, reason})
    this.logger.error(`${outcome === 'held' ? 'Held' : 'Failed'}: ${path}. ${reason}`, {code})
  }

  poisoned(record: TopicPartition & {readonly offset: number}, {poison, reason}: Poison): void {
    this.poison += 1
    const {topic, partition, offset} = record
    this.reporter.event({event: 'record.poison', topic, partition, offset, code: poison, reason})
    const where = `${topic}-${partition}@${offset}`
    const line = `Record ${where} is not a chunk and is skipped: ${reason}.`
    if (this.poison <= POISON_WARNINGS) this.logger.warn(line, {code: poison})
    else this.logger.debug(line, {code: poison})
    if (this.poison === POISON_WARNINGS)
      this.logger.warn('Further records that are no chunks are only counted.')
  }

  /** What was still open when the run ended. */
  unfinished(files: readonly OpenFile[], nowMs: number, incompleteAfterMs: number): void {
    for (const {file, missingChunks, newestTimestampMs} of files) {
      const young = newestTimestampMs >= 0 && nowMs - newestTimestampMs < incompleteAfterMs
      const missing = asRanges(missingChunks)
      const reason = `${missingChunks.size} of ${file.chunkCount} chunks are not on the topic.`
      const problem = {path: file.path, code: 'FILE_INCOMPLETE', reason, missingChunks: missing}
      if (young) {
        this.problems.set(file.path, {problem: {...problem, outcome: 'open'}, exitCode: ExitCode.done})
        continue
      }
      this.problems.set(file.path, {
        problem: {...problem, outcome: 'incomplete'},
        exitCode: ExitCode.filesUnfinished,
      })
      this.reporter.event({event: 'file.incomplete', ...problem})
      this.logger.warn(`Incomplete: ${file.path}. ${reason}`, {missingChunks: missing})
    }
  }

  result(
    run: Pick<DeliverReport, 'command' | 'topic' | 'group' | 'interrupted' | 'seconds'>,
  ): PipelineResult<DeliverReport> {
    const problems = [...this.problems.values()]
    const count = (...outcomes: Problem['outcome'][]) =>
      problems.filter(({problem}) => outcomes.includes(problem.outcome)).length
    const report: DeliverReport = {
      schema: 1,
      ...run,
      records: this.records,
      bytes: this.bytes,
      files: {
        delivered: this.delivered,
        failed: count('failed', 'held'),
        held: count('held'),
        open: count('open'),
        incomplete: count('incomplete'),
        superseded: this.superseded,
        parked: 0,
        skipped: this.unchanged,
      },
      poison: this.poison,
      problems: problems.map(({problem}) => problem),
    }
    return {report, exitCode: worstExitCode(problems.map(({exitCode}) => exitCode))}
  }
}

/** `3-5,9`; cut after a few, as a file may lack thousands. */
export function asRanges(numbers: IntervalSet): string {
  const ranges: string[] = []
  for (const {start, end} of numbers.runs()) {
    if (ranges.length === 20) return `${ranges.join(',')},…`
    ranges.push(end - start === 1 ? String(start) : `${start}-${end - 1}`)
  }
  return ranges.join(',')
}
