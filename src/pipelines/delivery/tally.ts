/** Counts what happens to files and records, tells it as events, and sums it up. */
import type {OpenFile, Conclusion} from '../../core/reassembly/index.js'
import {ExitCode, worstExitCode} from '../../core/errors.js'
import {formatRuns, type IntervalSet} from '../../core/offsets/index.js'
import type {Logger, TopicPartition} from '../../core/ports/index.js'
import type {Poison} from '../../core/chunk/index.js'
import type {DeliverReport, PipelineResult, Problem, Reporter} from '../../core/report.js'

/** Beyond so many, poison records are still events and counted, but no longer lines of the log. */
const POISON_WARNINGS = 10

/** What was open when the run ended. */
export type UnfinishedFile = Pick<OpenFile, 'file' | 'newestTimestampMs'> & {
  readonly missing: IntervalSet
  /** Records that may have been its chunks were removed before they were read. */
  readonly isDoubtful?: boolean
}

const HEADLINE = {held: 'Held', failed: 'Failed', parked: 'Parked'} as const

export class Tally {
  records = 0
  bytes = 0
  poison = 0
  delivered = 0
  /** Records were removed from the topic before they were done, of whatever files. */
  recordsLost = false
  private superseded = 0
  private skipped = 0
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
    // Records of a file that was told of before.
    if (outcome === 'stray') {
      this.logger.debug(`Copies of chunks of ${path}, which is over.`, {path})
      return
    }
    if (outcome === 'unchanged') {
      this.problems.delete(path)
      this.skipped += 1
      const reason = 'The destination has it already.'
      this.reporter.event({event: 'file.skipped', path, code: 'ALREADY_DELIVERED', reason})
      return
    }
    if (outcome === 'kept') {
      this.problems.delete(path)
      this.skipped += 1
      const reason = 'Another file has its name, and is kept.'
      this.reporter.event({event: 'file.skipped', path, code: 'FILE_EXISTS', reason})
      return
    }
    const code = error?.code ?? 'FILE_HELD'
    const reason = error?.message ?? 'It could not be delivered.'
    const missing = error?.facts['missingChunks']
    const missingChunks = typeof missing === 'string' && missing !== '' ? {missingChunks: missing} : {}
    this.problems.set(path, {
      problem: {path, outcome, code, reason, ...missingChunks},
      exitCode: error?.exitCode ?? ExitCode.filesUnfinished,
    })
    this.reporter.event({event: `file.${outcome}`, path, code, reason, ...missingChunks})
    this.logger.error(`${HEADLINE[outcome]}: ${path}. ${reason}`, {code})
  }

  /** By the user's wish. */
  excluded(path: string): void {
    this.skipped += 1
    this.reporter.event({event: 'file.skipped', path, code: 'EXCLUDED', reason: 'It is not to be delivered.'})
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

  /** A record that was refused before, and is no chunk now either. */
  refusedAgain(
    {topic, partition, offset}: TopicPartition & {readonly offset: number},
    code: 'REFUSED_AGAIN' | 'RECORDS_GONE',
    reason: string,
  ): void {
    this.poison += 1
    this.reporter.event({event: 'record.poison', topic, partition, offset, code, reason})
  }

  /** Records of a file were removed from the topic before it could be put together. */
  gone(path: string, records: number, topic: string): void {
    const code = 'RECORDS_GONE'
    const reason =
      records === 0
        ? `What its letter names on ${topic} are no chunks of it.`
        : `${records} of its records are gone from ${topic}, or out of reach: upload the file again.`
    this.problems.set(path, {
      problem: {path, outcome: 'failed', code, reason},
      exitCode: ExitCode.filesUnfinished,
    })
    this.reporter.event({event: 'file.failed', path, code, reason})
    this.logger.error(`${HEADLINE.failed}: ${path}. ${reason}`, {code})
  }

  /** It lacks chunks, and records were removed from the topic that may have been these. It stays open. */
  doubtful({file, missing}: UnfinishedFile, topic: string): void {
    const {path} = file
    const reason = `Records of ${topic} were removed before they were read, perhaps chunks of it: upload it again.`
    const problem = {path, code: 'FILE_INCOMPLETE', reason, missingChunks: asRanges(missing)}
    this.problems.set(path, {
      problem: {...problem, outcome: 'incomplete'},
      exitCode: ExitCode.filesUnfinished,
    })
    this.reporter.event({event: 'file.incomplete', ...problem})
    this.logger.error(`Incomplete: ${path}. ${reason}`, {missingChunks: problem.missingChunks})
  }

  /** What was still open when the run ended. */
  unfinished(files: readonly UnfinishedFile[], nowMs: number, incompleteAfterMs: number): void {
    for (const {file, missing, newestTimestampMs, isDoubtful} of files) {
      const young = newestTimestampMs >= 0 && nowMs - newestTimestampMs < incompleteAfterMs
      const missingChunks = asRanges(missing)
      const why = isDoubtful ? ', which has lost records before they were read: upload it again.' : '.'
      const reason = `${missing.size} of ${file.chunkCount} chunks are not on the topic${why}`
      const problem = {path: file.path, code: 'FILE_INCOMPLETE', reason, missingChunks}
      if (young) {
        this.problems.set(file.path, {problem: {...problem, outcome: 'open'}, exitCode: ExitCode.done})
        continue
      }
      this.problems.set(file.path, {
        problem: {...problem, outcome: 'incomplete'},
        exitCode: ExitCode.filesUnfinished,
      })
      this.reporter.event({event: 'file.incomplete', ...problem})
      this.logger.warn(`Incomplete: ${file.path}. ${reason}`, {missingChunks})
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
        parked: count('parked'),
        skipped: this.skipped,
      },
      poison: this.poison,
      problems: problems.map(({problem}) => problem),
    }
    const exitCodes = problems.map(({exitCode}) => exitCode)
    if (this.recordsLost) exitCodes.push(ExitCode.filesUnfinished)
    return {report, exitCode: worstExitCode(exitCodes)}
  }
}

/** Cut after a few, as a file may lack thousands. */
export function asRanges(numbers: IntervalSet): string {
  return formatRuns(numbers, 20)
}
