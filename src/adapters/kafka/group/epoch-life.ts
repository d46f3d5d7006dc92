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
import {StreamtoolError} from '../../../core/errors.js'
import type {
  AssignedPartition,
  CommittedOffset,
  GroupHandler,
  RevokeReason,
  StartPosition,
} from '../../../core/ports.js'
import {translateFailure} from '../errors.js'
import type {FetchHandler} from '../fetch/fetch-handler.js'
import {Fetcher} from '../fetch/fetcher.js'
import type {FetchEnvironment} from '../fetch/fetcher.js'
import {isProtocolFailure, isRetriable} from '../transport/failures.js'
import {isCoordinatorAway} from './coordinator.js'
import type {Coordinator} from './coordinator.js'
import {GroupEpoch} from './group-epoch.js'
import {Heartbeats} from './heartbeats.js'
import type {HeartbeatVerdict} from './heartbeats.js'
import type {JoinedGeneration} from './joining.js'
import {commitOffsets, describeAssigned} from './offsets.js'
import type {PartitionWatch} from './partition-watch.js'

export interface EpochEnd {
  readonly reason: RevokeReason
  /** The broker has forgotten the member id. */
  readonly isForgotten: boolean
  /** What ends the run, too. */
  readonly failure: {readonly error: unknown} | null
}

export interface EpochSurroundings {
  readonly coordinator: Coordinator
  readonly instanceId: string | null
  readonly heartbeatMs: number
  readonly sessionTimeoutMs: number
  /** How long the handler may take to give partitions up before the group is joined without waiting for it. */
  readonly revokeLimitMs: number
  readonly watch: PartitionWatch
  readonly fetch: FetchEnvironment
}

export class EpochLife {
  /** Settles when the last handler call is through: after `live`, when a handler holds on longer than it may. */
  handled: Promise<unknown> = Promise.resolve()
  readonly #epoch: GroupEpoch
  readonly #heartbeats: Heartbeats
  /** Aborted when the end has come. */
  readonly #ending = new AbortController()
  readonly #leaving = new AbortController()
  #end: EpochEnd | null = null
  #fetcher: Fetcher | null = null

  constructor(
    private readonly joined: JoinedGeneration,
    private readonly handler: GroupHandler,
    private readonly surroundings: EpochSurroundings,
  ) {
    const {coordinator, heartbeatMs, sessionTimeoutMs, fetch} = surroundings
    this.#epoch = new GroupEpoch(joined.generation, coordinator.groupId, {
      commit: (offsets) => this.#commit(offsets),
      seek: (partition, offset) => this.#fetcher?.seek(partition, offset),
    })
    this.#heartbeats = new Heartbeats({
      heartbeatMs,
      sessionTimeoutMs,
      clock: fetch.clock,
      beat: (timeoutMs, signal) => this.#beat(timeoutMs, signal),
      isOutage: (error) => isCoordinatorAway(error) || isRetriable(error),
      tell: (verdict) => this.#heed(verdict),
    })
  }

  /** @param previous what is still going on of the epoch before; its handler calls never overlap with ours */
  async live(previous: Promise<unknown>, stop: AbortSignal): Promise<EpochEnd> {
    const stopping = () => this.#finish('stopping')
    stop.addEventListener('abort', stopping, {once: true})
    if (stop.aborted) stopping()
    const inBackground = [this.#heartbeats.run(this.#leaving.signal), this.#regroupWhenTopicsGrow()]
    try {
      const partitions = await this.#prepare(previous)
      if (partitions !== null) await this.#serve(partitions)
    } finally {
      stop.removeEventListener('abort', stopping)
      this.#epoch.end()
      this.#leaving.abort()
      await Promise.all(inBackground)
    }
    return this.#end ?? ended('stopping')
  }

  /** Null when the end came first: then the handler never hears of this epoch. */
  async #prepare(previous: Promise<unknown>): Promise<readonly AssignedPartition[] | null> {
    const {signal} = this.#ending
    try {
      const described = this.#describe(signal)
      described.catch(() => undefined)
      await unlessAborted(previous, signal)
      return await described
    } catch (error) {
      if (!signal.aborted) this.#fail(error)
      return null
    }
  }

  async #describe(signal: AbortSignal): Promise<AssignedPartition[]> {
    const {coordinator} = this.surroundings
    const {cluster} = coordinator
    const {partitions} = this.joined
    let isStale = false
    return cluster.patiently(
      async () => {
        try {
          if (isStale) await cluster.refreshMetadata(undefined, signal)
          return await describeAssigned(coordinator, partitions, signal)
        } catch (error) {
          isStale = true
          throw error
        }
      },
      {signal},
    )
  }

  async #serve(partitions: readonly AssignedPartition[]): Promise<void> {
    const starts = await this.#assign(partitions)
    if (starts === null) return
    const reading = this.#read(starts)
    await aborted(this.#ending.signal)
    const revoking = this.#revoke(partitions)
    this.handled = Promise.all([reading, revoking])
    this.handled.catch(() => undefined)
    await this.#inTime(revoking)
  }

  async #assign(partitions: readonly AssignedPartition[]): Promise<readonly StartPosition[] | null> {
    try {
      const starts = await this.handler.assigned(this.#epoch, partitions)
      for (const partition of partitions) assertHasStart(partition, starts)
      return starts
    } catch (error) {
      if (!this.#isJustTheEnd(error)) this.#fail(error)
      return null
    }
  }

  async #read(starts: readonly StartPosition[]): Promise<void> {
    const epoch = this.#epoch
    const handler: FetchHandler = {
      records: async (batch) => {
        await this.handler.records({...batch, epoch}).catch((error: unknown) => {
          if (!this.#isJustTheEnd(error)) throw error
        })
      },
      outOfRange: (range, position) => this.handler.outOfRange(epoch, range, position),
    }
    this.#fetcher = new Fetcher(starts, handler, this.surroundings.fetch)
    try {
      await this.#fetcher.run(this.#ending.signal)
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  async #revoke(partitions: readonly AssignedPartition[]): Promise<void> {
    const topicPartitions = partitions.map(({topic, partition}) => ({topic, partition}))
    try {
      await this.handler.revoked(this.#epoch, topicPartitions, this.#end?.reason ?? 'stopping')
    } catch (error) {
      if (this.#isJustTheEnd(error)) return
      this.#fail(error)
      throw error
    }
  }

  /** The rest of the group waits no longer than the rebalance timeout, and goes on without us then. */
  async #inTime(revoking: Promise<void>): Promise<void> {
    const {revokeLimitMs, fetch} = this.surroundings
    const {clock, logger} = fetch
    const done = new AbortController()
    const settled = revoking.then(
      () => done.abort(),
      () => done.abort(),
    )
    await Promise.race([settled, clock.sleep(revokeLimitMs, done.signal).catch(() => undefined)])
    if (!done.signal.aborted) {
      logger.warn('giving partitions up takes longer than the group waits; what is under way is given up', {
        groupId: this.surroundings.coordinator.groupId,
        revokeLimitMs,
      })
    }
    done.abort()
  }

  async #regroupWhenTopicsGrow(): Promise<void> {
    const {watch, fetch} = this.surroundings
    const grown = await watch.untilGrown(this.joined.counts, this.#ending.signal)
    if (grown === null) return
    fetch.logger.info('a topic has gained partitions, the group shares them out again', {topic: grown})
    this.#finish('rebalance')
  }

  #beat(timeoutMs: number, signal: AbortSignal): Promise<unknown> {
    const {coordinator, instanceId} = this.surroundings
    const {generation, memberId} = this.joined
    const {groupId} = coordinator
    const args = {groupId, groupGenerationId: generation, memberId, groupInstanceId: instanceId}
    return coordinator.ask('Heartbeat', args, signal, {timeoutMs})
  }

  #heed(verdict: HeartbeatVerdict): void {
    if (verdict.kind === 'rebalance') this.#finish('rebalance')
    else if (verdict.kind === 'forgotten') this.#finish('lost', {isForgotten: true})
    else if (verdict.kind === 'refused')
      this.#finish('lost', {failure: {error: this.#explain(verdict.error)}})
    else this.#finish('lost')
  }

  async #commit(offsets: readonly CommittedOffset[]): Promise<void> {
    try {
      await commitOffsets(this.surroundings.coordinator, this.joined, offsets)
    } catch (error) {
      // A commit does not carry the instance id: whether a twin took over is told to the next heartbeat.
      if (isProtocolFailure(error, 'UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION')) this.#heartbeats.now()
      throw this.#explain(error)
    }
  }

  #explain(error: unknown): unknown {
    const {groupId, cluster} = this.surroundings.coordinator
    return translateFailure(error, {groupId, addresses: cluster.addresses})
  }

  #fail(error: unknown): void {
    this.#finish('stopping', {failure: {error: this.#explain(error)}})
  }

  /** The first reason counts; what comes later can only make it worse. */
  #finish(reason: RevokeReason, more: Partial<EpochEnd> = {}): void {
    if (reason === 'lost') this.#epoch.end()
    this.#end = {
      reason: this.#end?.reason ?? reason,
      isForgotten: this.#end?.isForgotten === true || more.isForgotten === true,
      failure: this.#end?.failure ?? more.failure ?? null,
    }
    this.#ending.abort()
  }

  /** A handler that was let go by the epoch's signal has not failed. */
  #isJustTheEnd(error: unknown): boolean {
    const {signal} = this.#epoch
    if (!signal.aborted) return false
    return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
  }
}

const ended = (reason: RevokeReason): EpochEnd => ({reason, isForgotten: false, failure: null})

function assertHasStart({topic, partition}: AssignedPartition, starts: readonly StartPosition[]): void {
  if (starts.some((start) => start.topic === topic && start.partition === partition)) return
  throw new StreamtoolError('BUG', `no start position for ${topic}, partition ${partition}`)
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), {once: true}))
}

async function unlessAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  await Promise.race([promise, aborted(signal)])
  signal.throwIfAborted()
}
