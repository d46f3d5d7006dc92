/**
 * Where `latest` begins: at the end that a partition had when this process started, and only for a group that had
 * committed nothing of the topic by then. A partition that came later, to the topic or in the group's time, is new
 * throughout: whatever is on it was written since, and is read from its first record.
 */
import type {PartitionRange, TopicAdmin, TopicPartition} from '../../core/ports/index.js'
import type {RelayOptions} from './options.js'

/** The offset to begin at, by {@link placeOf}; a partition that is not in it is begun with its first record. */
export type LatestStarts = ReadonlyMap<string, number>

export const placeOf = ({topic, partition}: TopicPartition) => `${topic}/${partition}`

/** @param ends the inputs' partitions, before the group is joined */
export async function latestStarts(
  {startOffset, inputs, group}: Pick<RelayOptions, 'startOffset' | 'inputs' | 'group'>,
  admin: TopicAdmin,
  ends: readonly PartitionRange[],
): Promise<LatestStarts> {
  if (startOffset === 'earliest') return new Map()
  const begun = new Set<string>()
  for (const topic of inputs) if ((await admin.committedOffsets(group, topic)).length > 0) begun.add(topic)
  return new Map(ends.filter(({topic}) => !begun.has(topic)).map((range) => [placeOf(range), range.end]))
}
