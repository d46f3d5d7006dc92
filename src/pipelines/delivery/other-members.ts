/**
 * When a member of the group that owns nothing is through: the others have read everything there was at the start. That
 * is so when what is committed, with what is done above it, reaches the end; or when nothing more is committed for a
 * while, since what is left may be a file that stays open.
 */
import {isAborted} from '../../core/flow/index.js'
import {decodeCommitMetadata} from '../../core/offsets/index.js'
import type {Clock, CommittedOffset, Logger, PartitionRange, TopicAdmin} from '../../core/ports/index.js'

const POLL_MS = 1000
/** Several times as long as a member takes from one commit to the next. */
const QUIET_MS = 30_000

export interface OtherMembersOptions {
  readonly admin: TopicAdmin
  readonly clock: Clock
  readonly logger: Logger
  readonly group: string
  readonly topic: string
  readonly clusterId: string
  readonly ends: readonly PartitionRange[]
  readonly ownsNothing: () => boolean
}

/** Aborts `through` when the others are; ends when `ended` aborts. */
export async function waitForOthers(
  {admin, clock, logger, group, topic, clusterId, ends, ownsNothing}: OtherMembersOptions,
  through: AbortController,
  ended: AbortSignal,
): Promise<void> {
  let last = ''
  let lastNewsMs = clock.nowMs()
  while (!isAborted(ended)) {
    await clock.sleep(POLL_MS, ended).catch(() => undefined)
    if (isAborted(ended) || !ownsNothing()) continue
    try {
      const committed = await admin.committedOffsets(group, topic)
      const news = JSON.stringify(committed)
      if (news !== last) lastNewsMs = clock.nowMs()
      last = news
      const behind = ends.filter((range) => !reachesEnd(range, committed, clusterId))
      const partitions = behind.map(({partition}) => partition)
      if (behind.length === 0) through.abort()
      else if (clock.nowMs() - lastNewsMs < QUIET_MS)
        logger.debug('Other members still work on partitions.', {partitions})
      else {
        logger.info('Other members have not finished anything for a while; not waiting for them.', {
          partitions,
        })
        through.abort()
      }
    } catch (thrown) {
      logger.debug('The group could not be asked for its offsets; asking again.', {reason: String(thrown)})
    }
  }
}

function reachesEnd(
  {topic, partition, start, end}: PartitionRange,
  committed: readonly CommittedOffset[],
  clusterId: string,
): boolean {
  const ours = committed.find((each) => each.partition === partition)
  if (ours === undefined) return start >= end
  const runs = decodeCommitMetadata({clusterId, topic, partition, base: ours.offset}, ours.metadata) ?? []
  return Math.max(ours.offset, runs.at(-1)?.end ?? 0) >= end
}
