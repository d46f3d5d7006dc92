/**
 * One epoch, from its first heartbeat to its end:
 *
 *   heartbeats ───────────────────────────────────────────────────────────────▶ stop
 *   offsets ─▶ assigned ─▶ reading ─────────▶ the end ─▶ revoked ─▶ over ─▶ join again
 *                                              └─ no `records` begins from here on
 *
 * It ends because the group regroups, because this member stops, because its partitions were lost, or because
 * something failed. Until `revoked` has resolved the epoch commits, unless it was lost: then it is over at once.
 */
import type {AssignedPartition, GroupHandler} from '../../../core/ports/index.js'
import {translateFailure} from '../errors.js'
import type {FetchEnvironment} from '../fetch/fetcher.js'
import type {Coordinator} from './coordinator.js'
import {Ending} from './ending.js'
import type {EpochEnd} from './ending.js'
import {GroupEpoch} from './group-epoch.js'
import {HandlerCalls} from './handler-calls.js'
import type {HeartbeatVerdict} from './heartbeats.js'
import type {JoinedGeneration} from './joining.js'
import {Membership} from './membership.js'
import {describeAssigned} from './offsets.js'
import type {PartitionWatch} from './partition-watch.js'

export interface EpochSurroundings {
  readonly coordinator: Coordinator
  readonly instanceId: string | null
  readonly heartbeatMs: number
  readonly sessionTimeoutMs: number
  readonly revokeLimitMs: number
  readonly watch: PartitionWatch
  readonly fetch: FetchEnvironment
}

export class EpochLife {
  readonly #ending = new Ending()
  readonly #membership: Membership
  readonly #epoch: GroupEpoch
  readonly #calls: HandlerCalls

  constructor(
    private readonly joined: JoinedGeneration,
    handler: GroupHandler,
    private readonly surroundings: EpochSurroundings,
  ) {
    const {coordinator, fetch} = surroundings
    const ending = this.#ending
    this.#membership = new Membership(joined, {
      ...surroundings,
      clock: fetch.clock,
      tell: (verdict) => this.#heed(verdict),
    })
    const epoch = new GroupEpoch(joined.generation, coordinator.groupId, {
      commit: (offsets) => this.#membership.commit(offsets),
      seek: (partition, offset) => this.#calls.seek(partition, offset),
    })
    this.#epoch = epoch
    this.#calls = new HandlerCalls(handler, {...surroundings, epoch, ending})
  }

  /** @param previous what is still going on of the epoch before; its handler calls never overlap with ours */
  async live(previous: Promise<unknown>, stop: AbortSignal): Promise<EpochEnd> {
    const stopping = () => this.#ending.now('stopping')
    stop.addEventListener('abort', stopping, {once: true})
    if (stop.aborted) stopping()
    const over = new AbortController()
    const inBackground = [this.#membership.keep(over.signal), this.#regroupWhenTopicsGrow()]
    try {
      const partitions = await this.#prepare(previous)
      if (partitions !== null) await this.#calls.serve(partitions)
    } finally {
      stop.removeEventListener('abort', stopping)
      this.#epoch.end()
      over.abort()
    }
    await Promise.all(inBackground)
    return this.#ending.end
  }

  /** When no call of the handler is under way any more. @throws what failed after `live` had returned */
  async handlerIsThrough(): Promise<void> {
    await this.#calls.through
    const {failure} = this.#ending.end
    if (failure !== null) throw failure.error
  }

  /** Null when the end came first: then the handler never hears of this epoch. */
  async #prepare(previous: Promise<unknown>): Promise<readonly AssignedPartition[] | null> {
    const ending = this.#ending
    const ready = Promise.all([this.#describe(ending.signal), previous]).then(([partitions]) => partitions)
    try {
      return await Promise.race([ready, ending.come().then(() => null)])
    } catch (error) {
      if (!ending.signal.aborted) ending.now('stopping', {failure: {error: this.#explain(error)}})
      return null
    }
  }

  async #describe(signal: AbortSignal): Promise<AssignedPartition[]> {
    const {coordinator} = this.surroundings
    const {cluster} = coordinator
    let leadersMayHaveMoved = false
    const attempt = async () => {
      try {
        if (leadersMayHaveMoved) await cluster.refreshMetadata(undefined, signal)
        return await describeAssigned(coordinator, this.joined.partitions, signal)
      } catch (error) {
        leadersMayHaveMoved = true
        throw error
      }
    }
    return cluster.patiently(attempt, {signal})
  }

  async #regroupWhenTopicsGrow(): Promise<void> {
    const {watch, fetch} = this.surroundings
    const topic = await watch.untilGrown(this.joined.counts, this.#ending.signal)
    if (topic === null) return
    fetch.logger.info('a topic has gained partitions, the group shares them out again', {topic})
    this.#ending.now('rebalance')
  }

  #heed(verdict: HeartbeatVerdict): void {
    if (verdict.kind === 'rebalance') {
      this.#ending.now('rebalance')
      return
    }
    this.#epoch.end()
    const isForgotten = verdict.kind === 'forgotten'
    const failure = verdict.kind === 'refused' ? {error: this.#explain(verdict.error)} : null
    this.#ending.now('lost', {isForgotten, failure})
  }

  #explain(error: unknown): unknown {
    const {groupId, cluster} = this.surroundings.coordinator
    return translateFailure(error, {groupId, addresses: cluster.addresses})
  }
}
