/** Which of two generations of one path is newer. */
import type {GenerationOrder} from '../ports.js'

/**
 * Within a partition the offset decides; across partitions the record's time, then the file's own time. A
 * generation whose times are all equal to another's is taken for the same age: 0.
 *
 * @returns negative when `a` is older, positive when it is newer
 */
export function compareGenerations(a: GenerationOrder, b: GenerationOrder): number {
  if (a.partition === b.partition) return a.offset - b.offset
  if (a.timestampMs !== b.timestampMs) return a.timestampMs - b.timestampMs
  return (a.mtimeMs ?? 0) - (b.mtimeMs ?? 0)
}
