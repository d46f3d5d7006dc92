/** What a person wants to read at the end of a run. */
import type {DeliverReport, Problem, RelayReport, UploadReport} from '../../core/report.js'
import {counted, humanBytes, humanCount, humanSeconds, printable} from './quantities.js'

export interface Summary {
  readonly headline: string
  readonly details: readonly string[]
}

const PROBLEMS_SHOWN = 20

export function summarizeUpload({
  files,
  bytes,
  seconds,
  topic,
  interrupted,
  problems,
}: UploadReport): Summary {
  const counts = [
    `${counted(files.uploaded, 'file')} (${humanBytes(bytes)})`,
    ...(files.skipped > 0 ? [`${humanCount(files.skipped)} skipped`] : []),
    ...(files.failed > 0 ? [`${humanCount(files.failed)} failed`] : []),
  ]
  return {
    headline: `${begun('Uploaded', interrupted)} ${counts.join(', ')} to ${topic} in ${humanSeconds(seconds)}`,
    details: problemLines(problems),
  }
}

const OTHER_OUTCOMES = ['failed', 'held', 'incomplete', 'open', 'superseded', 'parked', 'skipped'] as const

/** @param done what became of the files: `Delivered` */
export function summarizeDelivery(report: DeliverReport, done = 'Delivered'): Summary {
  const {files, bytes, seconds, topic, interrupted, problems, poison} = report
  // Held files count as failed too; a person wants to see each once.
  const shown = {...files, failed: files.failed - files.held}
  const counts = [
    `${counted(files.delivered, 'file')} (${humanBytes(bytes)})`,
    ...OTHER_OUTCOMES.filter((outcome) => shown[outcome] > 0).map(
      (outcome) => `${humanCount(shown[outcome])} ${outcome}`,
    ),
    ...(poison > 0 ? [`${counted(poison, 'foreign record')} skipped`] : []),
  ]
  return {
    headline: `${begun(done, interrupted)} ${counts.join(', ')} from ${topic} in ${humanSeconds(seconds)}`,
    details: problemLines(problems),
  }
}

export function summarizeRelay({records, seconds, input, output, interrupted}: RelayReport): Summary {
  const counts = [
    counted(records.read, 'record'),
    ...(records.written === records.read ? [] : [`${humanCount(records.written)} written`]),
    ...(records.failed === 0 ? [] : [`${humanCount(records.failed)} failed`]),
    ...(records.deadLettered === 0 ? [] : [`${humanCount(records.deadLettered)} dead-lettered`]),
  ]
  return {
    headline: `${begun('Relayed', interrupted)} ${counts.join(', ')} from ${input} to ${output} in ${humanSeconds(seconds)}`,
    details: [],
  }
}

const begun = (verb: string, interrupted: boolean) => (interrupted ? `Interrupted. ${verb}` : verb)

/** What is no success has been told when it happened; what is merely open yet has not. */
function problemLines(problems: readonly Problem[]): string[] {
  const untold = problems.filter(({outcome}) => outcome === 'open')
  const lines = untold.slice(0, PROBLEMS_SHOWN).map(problemLine)
  const more = untold.length - lines.length
  return more > 0 ? [...lines, `  … and ${humanCount(more)} more`] : lines
}

function problemLine({path, outcome, code, reason, missingChunks}: Problem): string {
  const missing = missingChunks === undefined ? '' : ` Missing chunks: ${missingChunks}.`
  return printable(`  ${outcome}: ${path}: ${reason}${missing} (${code})`)
}
