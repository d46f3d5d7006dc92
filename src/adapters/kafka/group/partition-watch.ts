/**
 * Notices that a topic has more partitions than the group has shared out. Every member watches: the leader may be
 * a static one that restarted, and such a one is not told that it leads.
 */
import type {Clock} from '../../../core/ports/index.js'
import type {Cluster} from '../transport/cluster.js'
import type {PartitionCounts} from './assignor.js'

/** Soon, since it may have grown while this member was away; but not in a loop with a leader that has not seen it. */
const FIRST_LOOK_MS = 1_000

export class PartitionWatch {
  /** Topics that a leader could not see; asking it once more to look is enough. */
  readonly #unseenByLeader = new Set<string>()

  constructor(
    private readonly cluster: Cluster,
    private readonly topics: readonly string[],
    private readonly intervalMs: number,
    private readonly clock: Clock,
  ) {}

  /** @returns the topic that grew; null when the signal aborted */
  async untilGrown(shared: PartitionCounts, signal: AbortSignal): Promise<string | null> {
    let pauseMs = Math.min(FIRST_LOOK_MS, this.intervalMs)
    while (!signal.aborted) {
      await this.clock.sleep(pauseMs, signal).catch(() => undefined)
      const grown = await this.#look(shared, signal)
      if (grown !== null) return grown
      pauseMs = this.intervalMs
    }
    return null
  }

  async #look(shared: PartitionCounts, signal: AbortSignal): Promise<string | null> {
    await this.cluster.refreshMetadata(this.topics, signal).catch(() => undefined)
    if (signal.aborted) return null
    return this.topics.find((topic) => this.#hasGrown(topic, shared)) ?? null
  }

  #hasGrown(topic: string, shared: PartitionCounts): boolean {
    const count = this.cluster.partitionCount(topic)
    const sharedCount = shared.get(topic)
    if (count === null) return false
    if (sharedCount !== undefined) return count > sharedCount
    // A leader says the counts of all topics that it can see.
    if (shared.size === 0 || this.#unseenByLeader.has(topic)) return false
    this.#unseenByLeader.add(topic)
    return true
  }
}
