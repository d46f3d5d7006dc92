/** A member of the group that owns nothing is through when the group's commits have reached the end. */
import {isAborted} from '../../core/flow/index.js'
import type {Clock, Logger, PartitionRange, TopicAdmin} from '../../core/ports/index.js'

const POLL_MS = 1000

export interface OtherMembersOptions {
  readonly admin: TopicAdmin
  readonly clock: Clock
  readonly logger: Logger
  readonly group: string
  readonly topic: string
  readonly ends: readonly PartitionRange[]
  readonly ownsNothing: () => boolean
}

/** Aborts `through` when the others have read everything; ends when `ended` aborts. */
export async function waitForOthers(
  {admin, clock, logger, group, topic, ends, ownsNothing}: OtherMembersOptions,
  through: AbortController,
  ended: AbortSignal,
): Promise<void> {
  while (!isAborted(ended)) {
    await clock.sleep(POLL_MS, ended).catch(() => undefined)
    if (isAborted(ended) || !ownsNothing()) continue
    try {
      const committed = new Map(
        (await admin.committedOffsets(group, topic)).map(({partition, offset}) => [partition, offset]),
      )
      const behind = ends.filter(({partition, start, end}) => (committed.get(partition) ?? start) < end)
      if (behind.length === 0) through.abort()
      else
        logger.debug('Other members still work on partitions.', {partitions: behind.map((p) => p.partition)})
    } catch (thrown) {
      logger.debug('The group could not be asked for its offsets; asking again.', {reason: String(thrown)})
    }
  }
}
