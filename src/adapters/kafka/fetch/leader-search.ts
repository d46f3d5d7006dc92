/** Finds the leaders of partitions that have none known, and again when they moved. */
import type {Clock} from '../../../core/ports/index.js'
import type {Cluster} from '../transport/cluster.js'
import {ProtocolFailure} from '../transport/failures.js'
import {errorOfCode} from '../transport/kafkajs-internals.js'
import type {Broker} from '../transport/metadata.js'
import {Bell} from '../bell.js'
import type {FetchedPartition} from './fetched-partition.js'
import {leaderOf} from './leader-requests.js'
import type {PartitionTable} from './partition-table.js'

/** However many partitions ask for it, metadata is not asked for more often. */
const SHORTEST_INTERVAL_MS = 100
const LEADER_NOT_AVAILABLE = 5

export interface LeaderSearchHooks {
  /** Called for each leader found, also when it is one that was known before. */
  found(leader: Broker): void
  failed(partitions: readonly FetchedPartition[], error: unknown): void
}

export class LeaderSearch {
  readonly #bell = new Bell()

  constructor(
    private readonly table: PartitionTable,
    private readonly cluster: Cluster,
    private readonly clock: Clock,
    private readonly hooks: LeaderSearchHooks,
  ) {}

  again(partitions: readonly FetchedPartition[]): void {
    for (const partition of partitions) partition.leader = null
    this.#bell.ring()
  }

  /** Until the signal aborts. The first look is at what is known already: joining has just asked for it. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#settle()
    while (!signal.aborted) {
      const lost = this.table.withoutLeader()
      if (lost.length === 0) {
        await this.#bell.wait(this.clock, null, signal)
        continue
      }
      await this.#search(lost, signal)
      await this.clock.sleep(this.#pauseMs(), signal).catch(() => undefined)
    }
  }

  async #search(lost: readonly FetchedPartition[], signal: AbortSignal): Promise<void> {
    try {
      await this.cluster.refreshMetadata(this.table.topics(), signal)
    } catch (error) {
      if (!signal.aborted) this.hooks.failed(lost, error)
      return
    }
    await this.#settle()
    for (const partition of this.table.withoutLeader()) {
      const code = this.cluster.topic(partition.topic)?.errorCode ?? 0
      this.hooks.failed(
        [partition],
        new ProtocolFailure(errorOfCode(code === 0 ? LEADER_NOT_AVAILABLE : code)),
      )
    }
  }

  async #settle(): Promise<void> {
    const found = new Map<number, Broker>()
    for (const partition of this.table.withoutLeader()) {
      partition.leader = await leaderOf(this.cluster, partition)
      if (partition.leader !== null) found.set(partition.leader.nodeId, partition.leader)
    }
    for (const leader of found.values()) this.hooks.found(leader)
  }

  #pauseMs(): number {
    const lost = this.table.withoutLeader()
    const nextTryMs = lost.length === 0 ? 0 : Math.min(...lost.map((partition) => partition.notBeforeMs))
    return Math.max(SHORTEST_INTERVAL_MS, nextTryMs - this.clock.nowMs())
  }
}
