import {randomUUID} from 'node:crypto'
import {StreamtoolError, type ErrorCode} from '../../../core/errors.js'
import type {TopicPartition} from '../../../core/ports/index.js'
import {PartitionLog} from './partition-log.js'

/** What a broker allows by default: 1 MiB and the header of a record batch's log entry. */
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588

export interface Topic {
  readonly name: string
  readonly maxMessageBytes: number
  readonly logs: PartitionLog[]
}

/** A request as it reaches the memory broker; `member` is the instance id, else the member id. */
export interface MemoryOperation {
  readonly kind: 'join' | 'fetch' | 'commit' | 'produce' | 'read'
  readonly group?: string
  readonly member?: string
}

/**
 * How a request fails. `refused`: nothing happened. `answer-lost`: it was done and the caller is not told.
 * `duplicated`: the answer was lost and the client sent again, so it was done twice and the caller is content.
 */
export type Fault = 'refused' | 'answer-lost' | 'duplicated'

export interface MemoryClusterOptions {
  readonly clusterId?: string
  readonly clock?: {nowMs(): number}
  /** Awaited before each request; a promise that never settles cuts the client off. */
  readonly delay?: (operation: MemoryOperation) => Promise<void> | void
  /** The most records that one fetch answers for a partition. */
  readonly fetchRecords?: number
}

/** Topics and their logs, who wants to hear of changes, and the faults that wait for their requests. */
export class Cluster {
  readonly clusterId: string
  readonly fetchRecords: number
  readonly #options: MemoryClusterOptions
  readonly #topics = new Map<string, Topic>()
  readonly #listeners = new Set<() => void>()
  readonly #faults = {
    produce: new Array<{fault: Fault; code: ErrorCode}>(),
    commit: new Array<{fault: Fault; code: ErrorCode}>(),
  }

  constructor(options: MemoryClusterOptions) {
    this.#options = options
    this.clusterId = options.clusterId ?? randomUUID()
    this.fetchRecords = options.fetchRecords ?? 500
  }

  nowMs(): number {
    return this.#options.clock?.nowMs() ?? Date.now()
  }

  /** Resolves when the request may reach the broker. */
  async arrival(operation: MemoryOperation): Promise<void> {
    await this.#options.delay?.(operation)
  }

  createTopic(name: string, partitions: number, config: Record<string, string> = {}): Topic {
    const existing = this.#topics.get(name)
    if (existing) return existing
    const maxMessageBytes = Number(config['max.message.bytes'] ?? DEFAULT_MAX_MESSAGE_BYTES)
    const topic: Topic = {name, maxMessageBytes, logs: []}
    this.#topics.set(name, topic)
    this.growTo(name, partitions)
    return topic
  }

  growTo(name: string, partitions: number): void {
    const {logs} = this.topic(name)
    while (logs.length < partitions) logs.push(new PartitionLog({topic: name, partition: logs.length}))
  }

  topic(name: string): Topic {
    const topic = this.#topics.get(name)
    if (!topic) throw topicUnknown(name)
    return topic
  }

  log({topic, partition}: TopicPartition): PartitionLog {
    const log = this.topic(topic).logs[partition]
    if (!log) throw topicUnknown(topic, partition)
    return log
  }

  /** @returns what unsubscribes */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  changed(): void {
    for (const listener of this.#listeners) listener()
  }

  failNext(operation: 'produce' | 'commit', fault: Fault, times: number, code: ErrorCode): void {
    for (let left = times; left > 0; left--) this.#faults[operation].push({fault, code})
  }

  /** Does `action` as often as the next fault has it done, and throws what the fault makes of it. */
  subjectToFaults<Result>(operation: 'produce' | 'commit', action: () => Result): Result {
    const next = this.#faults[operation].shift()
    if (!next) return action()
    if (next.fault !== 'refused') action()
    if (next.fault === 'duplicated') return action()
    throw new StreamtoolError(
      next.code,
      `The memory broker was told to fail this ${operation} (${next.fault})`,
    )
  }
}

function topicUnknown(topic: string, partition?: number): StreamtoolError {
  return partition === undefined
    ? new StreamtoolError('TOPIC_UNKNOWN', `Topic ${topic} does not exist`, {facts: {topic}})
    : new StreamtoolError('TOPIC_UNKNOWN', `Topic ${topic} has no partition ${partition}`, {
        facts: {topic, partition},
      })
}
