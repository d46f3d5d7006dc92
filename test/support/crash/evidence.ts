/** What the processes of a run told, judged together: was a finished file delivered again that need not have been? */
import type {Member, TimedEvent} from './member.js'

/** How many files a process may have finished and not committed: `COMMIT_FILES`, and as many while one is under way. */
export const WINDOW_FILES = 2 * 1000

export interface Verdict {
  /** Paths that came to their end: told as delivered, or found in place by whoever came after a crash. */
  readonly delivered: number
  /** Paths that were renamed into place more than once. */
  readonly deliveredTwice: number
  /** Paths that came to their end once more, and were found in place. */
  readonly metAgain: number
  /** The most files that one process had finished in vain when it died. */
  readonly largestWindow: number
  /** Came to their end again although a commit, or a good end, must have covered them: this must be empty. */
  readonly outsideWindow: readonly string[]
}

/**
 * What a process finished is committed for certain once two further commits of the same epoch were accepted: the
 * second was put together after the first was told. After a good end, everything is.
 *
 * @param members in the order in which they were started
 */
export function judge(members: readonly Member[]): Verdict {
  const delivered = new Map<string, number>()
  const met = new Map<string, {atMs: number; committed: boolean; member: number}[]>()
  members.forEach(({events}, member) => {
    for (const {event, committed} of withCommits(events)) {
      const path = finishedPath(event)
      if (path === null) continue
      if (event.event === 'file.delivered') delivered.set(path, (delivered.get(path) ?? 0) + 1)
      const times = met.get(path) ?? []
      met.set(path, [...times, {atMs: Date.parse(event.time), committed, member}])
    }
  })

  const outsideWindow: string[] = []
  const inVain = new Map<number, number>()
  let metAgain = 0
  for (const [path, times] of met) {
    const inOrder = times.sort((a, b) => a.atMs - b.atMs)
    const repeated = inOrder.slice(0, -1)
    if (repeated.length > 0) metAgain += 1
    if (repeated.some(({committed}) => committed)) outsideWindow.push(path)
    for (const {member} of repeated) inVain.set(member, (inVain.get(member) ?? 0) + 1)
  }
  return {
    delivered: met.size,
    deliveredTwice: [...delivered.values()].filter((times) => times > 1).length,
    metAgain,
    largestWindow: Math.max(0, ...inVain.values()),
    outsideWindow,
  }
}

function finishedPath(event: TimedEvent): string | null {
  if (event.event === 'file.delivered') return event.path
  // Found in place, from before a crash.
  return event.event === 'file.skipped' && event.code === 'ALREADY_DELIVERED' ? event.path : null
}

/** Backwards through what a process told, counting the commits that came later in the same epoch. */
function withCommits(events: readonly TimedEvent[]): {event: TimedEvent; committed: boolean}[] {
  let commits = 0
  let endedWell = false
  return events.toReversed().map((event) => {
    if (event.event === 'finished') endedWell = true
    if (event.event === 'committed') commits += 1
    if (event.event === 'assignment') commits = 0
    return {event, committed: endedWell || commits >= 2}
  })
}
