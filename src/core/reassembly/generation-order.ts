/** Which of two generations of one path is newer. */
import type {GenerationOrder} from '../ports/index.js'

/**
 * Within a partition the offset decides; across partitions the record's time, then the file's own time. What is
 * not known decides nothing. Two that differ in nothing known are of the same age: 0.
 *
 * For pairs, not for sorting: with clocks that disagree, three generations in two partitions can form a circle.
 *
 * @returns negative when `a` is older, positive when it is newer
 */
export function compareGenerations(a: GenerationOrder, b: GenerationOrder): number {
  if (a.partition === b.partition && a.offset !== b.offset) return a.offset - b.offset
  return compareTimes(a, b)
}

/**
 * Whether a destination that holds `held`, perhaps for months, must refuse `incoming` as older.
 *
 * Offsets order the records of one life of a topic only: after it was deleted and made anew they start at 0 again,
 * and by offset alone everything sent from then on would be older than what is held, and lost. A smaller offset
 * under a later record time says that this has happened, so it does not count as older.
 *
 * @param ofOneTopic otherwise even partitions of the same number share no offsets
 */
export function isOlderThanHeld(
  incoming: GenerationOrder,
  held: GenerationOrder,
  ofOneTopic: boolean,
): boolean {
  const order = ofOneTopic ? compareGenerations(incoming, held) : compareTimes(incoming, held)
  if (order >= 0) return false
  const bothTimed = incoming.timestampMs >= 0 && held.timestampMs >= 0
  return !(bothTimed && incoming.timestampMs > held.timestampMs)
}

function compareTimes(a: GenerationOrder, b: GenerationOrder): number {
  if (a.timestampMs >= 0 && b.timestampMs >= 0 && a.timestampMs !== b.timestampMs) {
    return a.timestampMs - b.timestampMs
  }
  return a.mtimeMs === null || b.mtimeMs === null ? 0 : a.mtimeMs - b.mtimeMs
}
