/**
 * The handler's part of one epoch: `assigned`, then `records` and `outOfRange` until the end comes, then `revoked`.
 * What it throws is the end, unless it only let go because the epoch is over.
 */
import {StreamtoolError} from '../../../core/errors.js'
import type {AssignedPartition, GroupHandler, StartPosition} from '../../../core/ports/index.js'
import type {TopicPartition} from '../../../core/record.js'
import {translateFailure} from '../errors.js'
import type {FetchHandler} from '../fetch/fetch-handler.js'
import {Fetcher} from '../fetch/fetcher.js'
import type {FetchEnvironment} from '../fetch/fetcher.js'
import type {Ending} from './ending.js'
import type {GroupEpoch} from './group-epoch.js'

export interface HandlerCallsOptions {
  readonly epoch: GroupEpoch
  readonly ending: Ending
  /** How long the handler may take to give partitions up before the group is joined without waiting for it. */
  readonly revokeLimitMs: number
  readonly fetch: FetchEnvironment
}

export class HandlerCalls {
  /** When the last call is through: after `serve`, if the handler holds on longer than it may. Never rejects. */
  through: Promise<unknown> = Promise.resolve()
  #fetcher: Fetcher | null = null

  constructor(
    private readonly handler: GroupHandler,
    private readonly options: HandlerCallsOptions,
  ) {}

  seek(partition: TopicPartition, offset: number): void {
    this.#fetcher?.seek(partition, offset)
  }

  /** From `assigned` to `revoked`. Never rejects: the ending knows what failed. */
  async serve(partitions: readonly AssignedPartition[]): Promise<void> {
    const {ending} = this.options
    const starts = await this.#attempt(() => this.#assigned(partitions))
    if (starts === null) return
    const reading = this.#attempt(() => this.#read(starts))
    await ending.come()
    const revoking = this.#attempt(() => this.#revoked(partitions))
    this.through = Promise.all([reading, revoking])
    await this.#inTime(revoking)
  }

  async #assigned(partitions: readonly AssignedPartition[]): Promise<readonly StartPosition[]> {
    const starts = await this.handler.assigned(this.options.epoch, partitions)
    for (const partition of partitions) assertHasStart(partition, starts)
    return starts
  }

  async #read(starts: readonly StartPosition[]): Promise<void> {
    const {epoch, ending, fetch} = this.options
    const handler: FetchHandler = {
      records: async (batch) => {
        await this.#attempt(() => this.handler.records({...batch, epoch}))
      },
      outOfRange: async (range, position) =>
        (await this.#attempt(() => this.handler.outOfRange(epoch, range, position))) ?? position,
    }
    this.#fetcher = new Fetcher(starts, handler, fetch)
    await this.#fetcher.run(ending.signal)
  }

  async #revoked(partitions: readonly AssignedPartition[]): Promise<void> {
    const {epoch, ending} = this.options
    const given = partitions.map(({topic, partition}) => ({topic, partition}))
    await this.handler.revoked(epoch, given, ending.end.reason)
  }

  /** The rest of the group waits no longer than the rebalance timeout, and goes on without us then. */
  async #inTime(revoking: Promise<unknown>): Promise<void> {
    const {revokeLimitMs, fetch, epoch} = this.options
    const done = new AbortController()
    const late = fetch.clock.sleep(revokeLimitMs, done.signal).then(
      () => fetch.logger.warn(LATE, {generation: epoch.generation, revokeLimitMs}),
      () => undefined,
    )
    await Promise.race([revoking, late]).finally(() => done.abort())
  }

  /** Null when it failed, or was let go. */
  async #attempt<T>(call: () => Promise<T>): Promise<T | null> {
    const {epoch, ending, fetch} = this.options
    try {
      return await call()
    } catch (error) {
      const letGo = epoch.signal.aborted && (error === epoch.signal.reason || isAbortError(error))
      const failure = {error: translateFailure(error, {addresses: fetch.control.addresses})}
      if (!letGo) ending.now('stopping', {failure})
      return null
    }
  }
}

const LATE = 'giving partitions up takes longer than the group waits; what is still under way is given up'

/** What Node's own functions throw when they are given the epoch's signal. */
const isAbortError = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'

function assertHasStart({topic, partition}: AssignedPartition, starts: readonly StartPosition[]): void {
  if (starts.some((start) => start.topic === topic && start.partition === partition)) return
  throw new StreamtoolError('BUG', `no start position for ${topic}, partition ${partition}`)
}
