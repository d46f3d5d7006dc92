/** What bench/results/latest.json holds. */
import type {Role, Target, Unit} from './jobs.js'
import type {Machine} from './machine.js'
import type {Usage} from './usage.js'

export interface Results {
  readonly schema: 3
  /** ISO 8601, UTC. */
  readonly date: string
  readonly machine: Machine
  /** Of the processor time that was wanted, what the host gave to others. */
  readonly stolenShare: number
  readonly versions: Readonly<Record<string, string>>
  /** What could not be had, and why; its columns are empty. */
  readonly missing: readonly string[]
  readonly smallest: JobResult
  readonly jobs: readonly JobResult[]
  readonly startUp: readonly StartUpResult[]
}

export interface JobResult {
  readonly id: string
  readonly title: string
  readonly files: number
  readonly bytes: number
  readonly unit: Unit
  readonly target: Target | null
  readonly rssLimitMiB: number | null
  readonly contenders: readonly ContenderResult[]
}

export interface ContenderResult {
  readonly role: Role
  readonly program: string
  /** Of one that reads a topic. */
  readonly topicWrittenBy: string | null
  readonly runs: readonly Usage[]
  /** It was not waited for any longer; there are no runs then. */
  readonly notFinishedAfterSeconds: number | null
}

export interface StartUpResult {
  readonly command: string
  readonly seconds: readonly number[]
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]]
  if (low === undefined || high === undefined) throw new Error('there is no median of nothing')
  return (low + high) / 2
}

export const medianOf = (runs: readonly Usage[], quantity: keyof Usage): number =>
  median(runs.map((run) => run[quantity]))

export const isFinished = ({notFinishedAfterSeconds}: ContenderResult): boolean =>
  notFinishedAfterSeconds === null

/** Those of a role that came to an end. */
export const measured = ({contenders}: JobResult, role: Role): ContenderResult[] =>
  contenders.filter((contender) => contender.role === role && isFinished(contender))

const MIB = 1024 * 1024

/** How much work a job is, in what its rate counts. */
export const amountOf = ({unit, files, bytes}: JobResult): number => (unit === 'MiB/s' ? bytes / MIB : files)

/** From the start of the program to its end. */
export const wholeRate = (job: JobResult, {runs}: ContenderResult): number =>
  amountOf(job) / medianOf(runs, 'seconds')

/**
 * Without what the same program takes for one file of one byte, so that a short job does not measure the start of a
 * program; null when too little is left to tell.
 */
export function workingRate(job: JobResult, contender: ContenderResult, smallest: JobResult): number | null {
  const least = smallest.contenders.find((each) => each.program === contender.program && isFinished(each))
  if (least === undefined) return null
  const whole = medianOf(contender.runs, 'seconds')
  const working = whole - medianOf(least.runs, 'seconds')
  return working > whole / 20 ? amountOf(job) / working : null
}
