/**
 * Reads partitions, those of an epoch or the one of a range, until its signal aborts: a reader for each broker that
 * leads some of them, and one search for leaders. Positions are kept here and nowhere else.
 *
 * Guarantees: a partition's batches are handed over in order, without a gap and none twice, through dropped
 * connections and moving leaders; no handler call begins after the signal aborted; one partition's trouble never
 * stops another until it has lasted longer than is tolerated, which ends `run`.
 */
import type {Clock, Logger} from '../../../core/ports/index.js'
import type {TopicPartition} from '../../../core/record.js'
import {translateFailure} from '../errors.js'
import type {Cluster} from '../transport/cluster.js'
import type {FrameMemory} from '../transport/frame-memory.js'
import type {Broker} from '../transport/metadata.js'
import {Delivering} from './delivering.js'
import type {FetchHandler} from './fetch-handler.js'
import {LeaderReader} from './leader-reader.js'
import {type FetchLimits, shareOf} from './leader-requests.js'
import {LeaderSearch} from './leader-search.js'
import {PartitionTable} from './partition-table.js'
import type {FetchStart} from './partition-table.js'
import {Trouble} from './trouble.js'

export interface FetchEnvironment {
  /** For Fetch alone: a long poll holds up whatever comes behind it on its connection. */
  readonly fetching: Cluster
  /** For everything else. */
  readonly control: Cluster
  readonly limits: FetchLimits
  /** Into which `fetching` reads answers; null when nobody would tell that they are needed no more. */
  readonly frameMemory: FrameMemory | null
  /** How long a partition may do nothing but fail. */
  readonly toleranceMs: number
  readonly clock: Clock
  readonly logger: Logger
}

export class Fetcher {
  readonly #table: PartitionTable
  readonly #readers = new Map<number, LeaderReader>()
  readonly #work: Promise<void>[] = []
  readonly #end = new AbortController()
  #failure: {readonly error: unknown} | null = null

  constructor(
    starts: readonly FetchStart[],
    private readonly handler: FetchHandler,
    private readonly environment: FetchEnvironment,
  ) {
    this.#table = new PartitionTable(starts)
  }

  /**
   * Resolves when the signal has aborted and the last handler call is through.
   * @throws what a handler threw, or why a partition cannot be read
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#end.abort()
    signal.addEventListener('abort', stop, {once: true})
    if (signal.aborted) stop()
    try {
      const search = this.#searchForLeaders()
      await search.run(this.#end.signal)
      await Promise.all(this.#work)
    } finally {
      signal.removeEventListener('abort', stop)
    }
    if (this.#failure !== null) throw this.#failure.error
  }

  /** Reading goes on there; what was fetched for another position is dropped. */
  seek(target: TopicPartition, offset: number): void {
    const partition = this.#table.get(target)
    if (partition === null) return
    partition.moveTo(offset)
    this.#ringAll()
  }

  #searchForLeaders(): LeaderSearch {
    const {control, clock, logger, toleranceMs} = this.environment
    const giveUp = (error: unknown, {topic, partition}: TopicPartition) =>
      this.#fail(translateFailure(error, {addresses: control.addresses, topic, partition}))
    const trouble = new Trouble({toleranceMs, clock, logger, giveUp})
    const search: LeaderSearch = new LeaderSearch(this.#table, control, clock, {
      found: (leader) => this.#readFrom(leader, trouble, search),
      failed: (partitions, error) => trouble.with(partitions, error),
    })
    return search
  }

  #readFrom(leader: Broker, trouble: Trouble, search: LeaderSearch): void {
    const known = this.#readers.get(leader.nodeId)
    if (known !== undefined) {
      known.broker = leader
      known.bell.ring()
      return
    }
    const {fetching, control, limits, frameMemory, clock} = this.environment
    const signal = this.#end.signal
    const failed = trouble.with.bind(trouble)
    const delivering = new Delivering(this.handler, {
      control,
      signal,
      failed,
      fatal: (error) => this.#fail(error),
    })
    const share = shareOf(limits, () => Math.max(1, this.#readers.size))
    const reader = new LeaderReader(leader, this.#table, fetching, share, frameMemory, clock, {
      deliver: (delivery) => delivering.deliver(delivery),
      failed,
      gaveBack: () => this.#ringAll(),
      leadersMoved: (partitions) => search.again(partitions),
    })
    this.#readers.set(leader.nodeId, reader)
    this.#work.push(reader.run(signal).catch((error: unknown) => this.#fail(error)))
  }

  #ringAll(): void {
    for (const reader of this.#readers.values()) reader.bell.ring()
  }

  #fail(error: unknown): void {
    this.#failure ??= {error}
    this.#end.abort()
  }
}
