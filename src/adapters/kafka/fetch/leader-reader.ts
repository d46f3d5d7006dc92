/**
 * Reads the partitions that one broker leads, one Fetch after another.
 *
 *   fetch 1 ─▶ hand over 1 ──────────────▶ hand over 2 ─▶ …
 *              fetch 2 ─▶ (held)           fetch 3 ─▶ …
 *
 * While one answer is handed over, partition by partition, the next is fetched; it is then held until the first is
 * through. So two answers are in memory at most, and a slow handler slows the fetching: that is the back-pressure.
 * Batches are checked and decoded when their partition's turn comes, never ahead.
 */
import type {Clock} from '../../../core/ports/index.js'
import type {Cluster} from '../transport/cluster.js'
import {ProtocolFailure} from '../transport/failures.js'
import {errorOfCode} from '../transport/kafkajs-internals.js'
import type {Broker} from '../transport/metadata.js'
import type {FrameMemory} from '../transport/frame-memory.js'
import {Bell} from '../bell.js'
import {AnswerLease} from './answer-lease.js'
import type {PartitionAnswer} from './fetch-answer.js'
import {verdictOf} from './fetch-codes.js'
import type {FetchedPartition, Ticket} from './fetched-partition.js'
import {fetchFrom} from './leader-requests.js'
import type {FetchLimits} from './leader-requests.js'
import {nameOf} from './partition-table.js'
import type {PartitionTable} from './partition-table.js'
import {positionBehind} from './position-behind.js'

const UNKNOWN_SERVER_ERROR = -1

/** One partition's part of an answer, waiting to be handed over. */
export interface Delivery {
  readonly ticket: Ticket
  readonly answer: PartitionAnswer
  readonly lease: AnswerLease
  /** Where the next fetch went on. */
  readonly nextOffset: number
}

export interface ReaderHooks {
  /** Never rejects; what is wrong with a partition is told through `failed`. */
  deliver(delivery: Delivery): Promise<void>
  failed(partitions: readonly FetchedPartition[], error: unknown): void
  /** Somebody else's reader may have been waiting for these. */
  gaveBack(): void
  leadersMoved(partitions: readonly FetchedPartition[]): void
}

export class LeaderReader {
  readonly bell = new Bell()
  readonly #nodeId: number

  constructor(
    /** Its address may change while its node id stays. */
    public broker: Broker,
    private readonly table: PartitionTable,
    private readonly cluster: Cluster,
    private readonly limits: FetchLimits,
    private readonly frameMemory: FrameMemory | null,
    private readonly clock: Clock,
    private readonly hooks: ReaderHooks,
  ) {
    this.#nodeId = broker.nodeId
  }

  /** Until the signal aborts and what is being handed over is through. */
  async run(signal: AbortSignal): Promise<void> {
    let handingOver = Promise.resolve()
    while (!signal.aborted) {
      const tickets = this.table.ask(this.#nodeId, this.clock.nowMs())
      if (tickets.length === 0) {
        await this.bell.wait(this.clock, this.#untilNextTurnMs(), signal)
        continue
      }
      const deliveries = await this.#fetch(tickets, signal)
      await handingOver
      handingOver = this.#handOver(deliveries, signal)
    }
    await handingOver
  }

  #untilNextTurnMs(): number | null {
    const nextTurnMs = this.table.nextTurnMs(this.#nodeId)
    return nextTurnMs === null ? null : Math.max(0, nextTurnMs - this.clock.nowMs())
  }

  async #fetch(tickets: readonly Ticket[], signal: AbortSignal): Promise<readonly Delivery[]> {
    try {
      const {partitions, frame} = await fetchFrom(this.cluster, this.broker, tickets, this.limits, signal)
      return this.#sort(tickets, partitions, new AnswerLease(frame, this.frameMemory))
    } catch (error) {
      for (const {partition} of tickets) partition.giveBack()
      if (signal.aborted) return []
      const partitions = tickets.map(({partition}) => partition)
      this.hooks.failed(partitions, error)
      this.hooks.leadersMoved(partitions)
      return []
    }
  }

  /** What is to be handed over; all other tickets are given back. */
  #sort(
    tickets: readonly Ticket[],
    answers: readonly PartitionAnswer[],
    lease: AnswerLease,
  ): readonly Delivery[] {
    const deliveries: Delivery[] = []
    const moved: FetchedPartition[] = []
    const byName = new Map(answers.map((answer) => [nameOf(answer), answer]))
    for (const ticket of tickets) {
      const {partition} = ticket
      const answer = byName.get(nameOf(partition))
      if (answer === undefined)
        this.hooks.failed([partition], new ProtocolFailure(errorOfCode(UNKNOWN_SERVER_ERROR)))
      const delivery = answer === undefined ? null : this.#judge(ticket, answer, lease, moved)
      if (delivery === null) partition.giveBack()
      else deliveries.push(delivery)
    }
    this.table.toTheEnd(new Set(deliveries.map(({ticket}) => ticket.partition)))
    if (moved.length > 0) this.hooks.leadersMoved(moved)
    return deliveries
  }

  #judge(
    ticket: Ticket,
    answer: PartitionAnswer,
    lease: AnswerLease,
    moved: FetchedPartition[],
  ): Delivery | null {
    const {partition} = ticket
    if (!partition.isCurrent(ticket)) return null
    const verdict = verdictOf(answer.errorCode)
    if (verdict === 'fine') {
      if (answer.records.length === 0) {
        partition.succeeded()
        return partition.until === Infinity ? null : {ticket, answer, lease, nextOffset: ticket.offset}
      }
      const nextOffset = positionBehind(answer.records, ticket.offset)
      partition.advance(ticket, nextOffset)
      return {ticket, answer, lease, nextOffset}
    }
    if (verdict === 'out-of-range') return {ticket, answer, lease, nextOffset: ticket.offset}
    this.hooks.failed([partition], new ProtocolFailure(errorOfCode(answer.errorCode)))
    if (verdict === 'leader-moved') moved.push(partition)
    return null
  }

  async #handOver(deliveries: readonly Delivery[], signal: AbortSignal): Promise<void> {
    const letGo = deliveries[0]?.lease.hold()
    for (const delivery of deliveries) {
      const {partition} = delivery.ticket
      if (!signal.aborted && partition.isCurrent(delivery.ticket)) await this.hooks.deliver(delivery)
      partition.giveBack()
    }
    letGo?.()
    if (deliveries.length > 0) this.hooks.gaveBack()
  }
}
