/**
 * Where one partition stands: the position that is ours, who may read on from it, and how it has failed lately.
 *
 * Everything that is asked for is asked with a ticket. A ticket is stale as soon as the position was moved by
 * anything but its own answer, so that nothing fetched for another position is ever handed on. And as long as
 * tickets are out, no other broker's reader gets one: a partition whose leader moves is not read ahead of what is
 * still to be delivered.
 */
import {type BackOff, pauseAfter} from '../../../core/flow/index.js'
import type {TopicPartition} from '../../../core/record.js'
import type {Broker} from '../transport/metadata.js'

const BACK_OFF: BackOff = {initialMs: 100, maxMs: 2_000}

export interface Ticket {
  readonly partition: FetchedPartition
  readonly offset: number
  readonly version: number
}

export class FetchedPartition implements TopicPartition {
  /** Who leads it; null until that is known (again). */
  leader: Broker | null = null
  #position: number
  #version = 0
  #reader: number | null = null
  #ticketsOut = 0
  #failures = 0
  #failingSinceMs = 0
  #notBeforeMs = 0

  constructor(
    readonly topic: string,
    readonly partition: number,
    position: number,
    /** Nothing is asked for from here on. */
    readonly until = Infinity,
  ) {
    this.#position = position
  }

  get position(): number {
    return this.#position
  }

  /** When the back-off after failures is over. */
  get notBeforeMs(): number {
    return this.#notBeforeMs
  }

  get failures(): number {
    return this.#failures
  }

  isReadFrom(nodeId: number): boolean {
    if (this.#position >= this.until) return false
    return this.leader?.nodeId === nodeId && (this.#reader === null || this.#reader === nodeId)
  }

  ask(nodeId: number): Ticket {
    this.#reader = nodeId
    this.#ticketsOut++
    return {partition: this, offset: this.#position, version: this.#version}
  }

  /** Every ticket is given back once, when what it fetched was delivered or dropped. */
  giveBack(): void {
    if (--this.#ticketsOut === 0) this.#reader = null
  }

  isCurrent(ticket: Ticket): boolean {
    return ticket.version === this.#version
  }

  /** What the ticket fetched reaches this far; reading goes on behind it. */
  advance(ticket: Ticket, position: number): void {
    if (this.isCurrent(ticket)) this.#position = position
  }

  /** Reading goes on here, and tickets that are out are stale. */
  moveTo(position: number): void {
    this.#position = position
    this.#version++
  }

  succeeded(): void {
    this.#failures = 0
    this.#notBeforeMs = 0
  }

  /** @returns for how long, in milliseconds, it has done nothing but fail */
  failed(nowMs: number): number {
    if (this.#failures === 0) this.#failingSinceMs = nowMs
    this.#failures++
    this.#notBeforeMs = nowMs + pauseAfter(this.#failures, BACK_OFF)
    return nowMs - this.#failingSinceMs
  }
}
