import {type ContenderResult, type JobResult, measured, wholeRate, workingRate} from './results.js'

const MIB = 1024 * 1024

/** What a job ought to reach, and whether it does: all the way, only once started, or not. */
export function verdictOf(job: JobResult, smallest: JobResult): string {
  const [ours] = measured(job, 'ours')
  if (ours === undefined) return '–'
  return [speed(job, ours, smallest), memory(job)].filter(Boolean).join('; ') || '–'
}

function speed(job: JobResult, ours: ContenderResult, smallest: JobResult): string {
  const {target} = job
  if (target === null) return ''
  const [limit] = measured(job, 'limit')
  const goalOf = (rate: (contender: ContenderResult) => number | null): number | null => {
    if ('rate' in target) return target.rate
    const reached = limit === undefined ? null : rate(limit)
    return reached === null ? null : target.shareOfLimit * reached
  }
  const reaches = (rate: (contender: ContenderResult) => number | null): boolean | null => {
    const [value, goal] = [rate(ours), goalOf(rate)]
    return value === null || goal === null ? null : value >= goal
  }
  const name =
    'rate' in target
      ? `${target.rate.toLocaleString('en-US')} ${job.unit}`
      : `${target.shareOfLimit} of the limit`
  if (reaches((contender) => wholeRate(job, contender)) === true) return `${name}: met`
  const working = reaches((contender) => workingRate(job, contender, smallest))
  if (working === null) return `${name}: not known`
  return `${name}: ${working ? 'met without start-up' : '**not met**'}`
}

function memory(job: JobResult): string {
  const {rssLimitMiB} = job
  if (rssLimitMiB === null) return ''
  const ours = measured(job, 'ours').flatMap(({runs}) => runs)
  const peak = Math.max(...ours.map(({peakRssBytes}) => peakRssBytes)) / MIB
  return `≤ ${rssLimitMiB} MiB RSS: ${peak <= rssLimitMiB ? 'met' : `**not met** (${Math.round(peak)})`}`
}
