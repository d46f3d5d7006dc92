/**
 * Notices that a topic has more partitions than the group has shared out. Every member watches: the leader may be
 * a static one that restarted, and such a one is not told that it leads.
 */
import type {Clock} from '../../../core/ports.js'
import type {Cluster} from '../transport/cluster.js'
import type {PartitionCounts} from './assignor.js'

export class PartitionWatch {
  /** Topics that a leader could not see; asking it once more to look is enough. */
  readonly #unseenByLeader = new Set<string>()

  constructor(
    private readonly cluster: Cluster,
    private readonly topics: readonly string[],
    private readonly intervalMs: number,
    private readonly clock: Clock,
  ) {}

  /** @returns the topic that grew; null when the signal aborted. First from what is known already. */
  async untilGrown(shared: PartitionCounts, signal: AbortSignal): Promise<string | null> {
    while (!signal.aborted) {
      const grown = this.topics.find((topic) => this.#hasGrown(topic, shared))
      if (grown !== undefined) return grown
      await this.clock.sleep(this.intervalMs, signal).catch(() => undefined)
      await this.cluster.refreshMetadata(this.topics, signal).catch(() => undefined)
    }
    return null
  }

  #hasGrown(topic: string, shared: PartitionCounts): boolean {
    const count = this.cluster.partitionCount(topic)
    const sharedCount = shared.get(topic)
    if (count === null) return false
    if (sharedCount !== undefined) return count > sharedCount
    // Another program's leader says no counts at all; ours says those of all topics that it can see.
    if (shared.size === 0 || this.#unseenByLeader.has(topic)) return false
    this.#unseenByLeader.add(topic)
    return true
  }
}
