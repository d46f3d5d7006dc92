/** The most that a machine allows, whatever the program: its processor is shared with broker and store. */
import type {Machine} from './machine.js'
import {amountOf, type JobResult, measured, medianOf} from './results.js'

/** Of each chunk, and of the whole file: the format wants both, and nothing computes one from the other. */
const SHA512_PASSES = 2

/**
 * The rate of a program that hashes every byte as the format demands and does nothing else, with all cores busy with that,
 * the broker and the store. Two threads of one core count as two cores here, so it is rather too high.
 *
 * @returns null for jobs whose bytes are few or are not hashed
 */
export function ceilingOf(job: JobResult, {cores, sha512MiBPerSecond}: Machine): number | null {
  const [ours] = measured(job, 'ours')
  if (job.unit !== 'MiB/s' || ours === undefined) return null
  const hashing = (SHA512_PASSES * amountOf(job)) / sha512MiBPerSecond
  const others = medianOf(ours.runs, 'brokerCpuSeconds') + medianOf(ours.runs, 'storeCpuSeconds')
  return amountOf(job) / ((hashing + others) / cores)
}
