/** How far a group is with one generation: the chunks that it has behind it, and those that it will still read. */
import type {GroupFileState} from '../../core/inspect-report.js'
import {IntervalSet} from '../../core/offsets/index.js'

export class GroupProgress {
  private readonly behind = new IntervalSet()
  private readonly ahead = new IntervalSet()

  add(index: number, isDone: boolean): void {
    ;(isDone ? this.behind : this.ahead).add(index)
  }

  /** @param whole every chunk is on the topic, and together they are what they should be */
  state(chunkCount: number, whole: boolean): Exclude<GroupFileState, 'superseded'> {
    const all = {start: 1, end: chunkCount + 1}
    if (isEmpty(this.ahead) || covers(this.behind, all)) return 'done'
    if (covers(this.ahead, all)) return whole ? 'next' : 'open'
    return isEmpty(this.behind) ? 'open' : 'partial'
  }
}

function covers(set: IntervalSet, {start, end}: {start: number; end: number}): boolean {
  return set.gaps(start, end).next().done === true
}

const isEmpty = (set: IntervalSet) => set.runs().next().done === true
