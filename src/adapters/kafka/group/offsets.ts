/** The group's committed offsets: read when an epoch begins, written through the epoch. */
import {StreamtoolError} from '../../../core/errors.js'
import type {AssignedPartition, CommittedOffset} from '../../../core/ports/index.js'
import type {TopicPartition} from '../../../core/record.js'
import {extentsOf} from '../fetch/leader-requests.js'
import {ProtocolFailure} from '../transport/failures.js'
import {errorOfCode} from '../transport/kafkajs-internals.js'
import type {TopicPartitions} from '../transport/protocol.js'
import type {Coordinator} from './coordinator.js'

const NONE = -1

/** One attempt. @throws ProtocolFailure, TransportFailure, or the signal's reason */
export async function describeAssigned(
  coordinator: Coordinator,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<AssignedPartition[]> {
  if (partitions.length === 0) return []
  const [extents, committed] = await Promise.all([
    extentsOf(coordinator.cluster, partitions, signal),
    committedOffsets(coordinator, partitions, signal),
  ])
  return extents.map(({topic, partition, start, end}) => {
    const {offset, metadata} = committed.get(nameOf({topic, partition})) ?? {offset: NONE, metadata: ''}
    return {topic, partition, start, end, committed: offset === NONE ? null : {offset, metadata}}
  })
}

async function committedOffsets(
  coordinator: Coordinator,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<Map<string, CommittedOffset>> {
  const topics = byTopic(partitions, ({partition}) => ({partition}))
  const args = {groupId: coordinator.groupId, topics}
  const {responses} = await coordinator.ask('OffsetFetch', args, signal)
  return new Map(
    responses.flatMap(({topic, partitions: answers}) =>
      answers.map(({partition, errorCode, offset, metadata}) => {
        if (errorCode !== 0) throw new ProtocolFailure(errorOfCode(errorCode))
        const committed = {topic, partition, offset: Number(offset), metadata: metadata ?? ''}
        return [nameOf(committed), committed] as const
      }),
    ),
  )
}

/** Who commits: as captured when the epoch began, never as of now. */
export interface Committer {
  readonly memberId: string
  readonly generation: number
}

/**
 * One attempt.
 * @throws ProtocolFailure for the first partition that was refused, TransportFailure; BROKER_REFUSED, naming the
 *   partition, for metadata that is too long
 */
export async function commitOffsets(
  coordinator: Coordinator,
  {memberId, generation}: Committer,
  offsets: readonly CommittedOffset[],
): Promise<void> {
  const topics = byTopic(offsets, ({partition, offset, metadata}) => ({
    partition,
    offset: String(offset),
    metadata,
  }))
  const args = {groupId: coordinator.groupId, groupGenerationId: generation, memberId, topics}
  const {responses} = await coordinator.ask('OffsetCommit', args)
  const answers = new Map(
    responses.flatMap(({topic, partitions}) =>
      partitions.map(({partition, errorCode}) => [nameOf({topic, partition}), errorCode] as const),
    ),
  )
  for (const committed of offsets) {
    const errorCode = answers.get(nameOf(committed)) ?? UNKNOWN_SERVER_ERROR
    if (errorCode === OFFSET_METADATA_TOO_LARGE) throw metadataTooLarge(committed)
    if (errorCode !== 0) throw new ProtocolFailure(errorOfCode(errorCode))
  }
}

const UNKNOWN_SERVER_ERROR = -1
const OFFSET_METADATA_TOO_LARGE = 12

function metadataTooLarge({topic, partition, offset, metadata}: CommittedOffset): StreamtoolError {
  const bytes = Buffer.byteLength(metadata)
  return new StreamtoolError(
    'BROKER_REFUSED',
    `${topic}, partition ${partition}: the broker refuses ${bytes} bytes of metadata with the commit of offset ${offset}`,
    {
      facts: {topic, partition, offset, bytes},
      suggestions: ['offset.metadata.max.bytes of the broker must be at least 4096, its default'],
    },
  )
}

function byTopic<T extends TopicPartition, P>(
  items: readonly T[],
  write: (item: T) => P,
): TopicPartitions<P>[] {
  const topics = new Map<string, P[]>()
  for (const item of items) {
    const partitions = topics.get(item.topic)
    if (partitions === undefined) topics.set(item.topic, [write(item)])
    else partitions.push(write(item))
  }
  return [...topics].map(([topic, partitions]) => ({topic, partitions}))
}

const nameOf = ({topic, partition}: TopicPartition): string => `${topic}/${partition}`
