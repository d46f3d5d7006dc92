/**
 * The partitions of one epoch, in the order of whose turn it is. An answer has room for the first few that have
 * something, so whoever was served goes to the end; nobody starves, and a batch larger than the limits is read
 * when its partition is the first (a broker then sends it whole).
 */
import type {StartPosition} from '../../../core/ports/index.js'
import type {TopicPartition} from '../../../core/record.js'
import {FetchedPartition} from './fetched-partition.js'
import type {Ticket} from './fetched-partition.js'

export interface FetchStart extends StartPosition {
  /** Nothing is asked for from this offset on, and answers without a record are handed over too. */
  readonly until?: number
}

export class PartitionTable {
  readonly #byName: ReadonlyMap<string, FetchedPartition>
  #turns: FetchedPartition[]

  constructor(starts: readonly FetchStart[]) {
    this.#turns = starts.map(
      ({topic, partition, offset, until}) => new FetchedPartition(topic, partition, offset, until),
    )
    this.#byName = new Map(this.#turns.map((partition) => [nameOf(partition), partition]))
  }

  get(partition: TopicPartition): FetchedPartition | null {
    return this.#byName.get(nameOf(partition)) ?? null
  }

  topics(): string[] {
    return [...new Set(this.#turns.map(({topic}) => topic))]
  }

  withoutLeader(): FetchedPartition[] {
    return this.#turns.filter((partition) => partition.leader === null)
  }

  /** Tickets for all that may be asked of this broker now. */
  ask(nodeId: number, nowMs: number): Ticket[] {
    return this.#turns
      .filter((partition) => partition.isReadFrom(nodeId) && partition.notBeforeMs <= nowMs)
      .map((partition) => partition.ask(nodeId))
  }

  /** When the next one of this broker's partitions has its back-off behind it; null without any. */
  nextTurnMs(nodeId: number): number | null {
    const times = this.#turns.filter((p) => p.isReadFrom(nodeId)).map((p) => p.notBeforeMs)
    return times.length === 0 ? null : Math.min(...times)
  }

  toTheEnd(served: ReadonlySet<FetchedPartition>): void {
    if (served.size === 0) return
    this.#turns = [...this.#turns.filter((p) => !served.has(p)), ...this.#turns.filter((p) => served.has(p))]
  }
}

export const nameOf = ({topic, partition}: TopicPartition): string => `${topic}/${partition}`
