import type {Logger} from '../../../core/ports/index.js'
import type {CommittedPosition} from '../protocol/group-offsets.js'
import type {ByTopic} from '../protocol/schema.js'
import {Journal} from './journal.js'

/** One line of the journal. A group's or a topic's end is a line without an offset. */
interface Entry {
  readonly group?: string
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly metadata?: string | null
}

const COMPACT_BEYOND_BYTES = 4 * 1024 * 1024

/** What groups have committed: in memory, and in a journal that a crash cannot take. Offsets never expire. */
export class CommittedOffsets {
  readonly #groups = new Map<string, Map<string, Map<number, CommittedPosition>>>()
  readonly #journal: Journal
  #compactBeyondBytes = COMPACT_BEYOND_BYTES

  constructor(path: string, logger: Logger) {
    const {journal, entries, tornBytes} = Journal.open(path)
    this.#journal = journal
    for (const entry of entries) this.#apply(entry as Entry)
    if (tornBytes > 0) logger.warn(`cut ${tornBytes} bytes off the end of ${path}`, {path, tornBytes})
    this.#compact()
  }

  groupIds(): string[] {
    return [...this.#groups.keys()]
  }

  has(group: string): boolean {
    return this.#groups.has(group)
  }

  get(group: string, topic: string, partition: number): CommittedPosition | undefined {
    return this.#groups.get(group)?.get(topic)?.get(partition)
  }

  all(group: string): ByTopic<CommittedPosition>[] {
    const topics = [...(this.#groups.get(group) ?? [])]
    return topics.map(([topic, partitions]) => ({topic, partitions: [...partitions.values()]}))
  }

  commit(group: string, positions: readonly (CommittedPosition & {readonly topic: string})[]): void {
    if (positions.length > 0) this.#write(positions.map((position) => ({group, ...position})))
  }

  deleteGroup(group: string): void {
    if (this.has(group)) this.#write([{group}])
  }

  deleteTopic(topic: string): void {
    const isKnown = [...this.#groups.values()].some((topics) => topics.has(topic))
    if (isKnown) this.#write([{topic}])
  }

  close(): void {
    this.#journal.close()
  }

  #write(entries: readonly Entry[]): void {
    this.#journal.append(entries)
    for (const entry of entries) this.#apply(entry)
    if (this.#journal.byteLength > this.#compactBeyondBytes) this.#compact()
  }

  #apply({group, topic, partition, offset, metadata}: Entry): void {
    if (group !== undefined && topic !== undefined && partition !== undefined && offset !== undefined) {
      const topics = getOrAdd(this.#groups, group, () => new Map<string, Map<number, CommittedPosition>>())
      const partitions = getOrAdd(topics, topic, () => new Map<number, CommittedPosition>())
      partitions.set(partition, {partition, offset, metadata: metadata ?? ''})
    } else if (group !== undefined) {
      this.#groups.delete(group)
    } else if (topic !== undefined) {
      for (const topics of this.#groups.values()) topics.delete(topic)
    }
  }

  /** Leaves the last commits only. The next time is when the journal has doubled. */
  #compact(): void {
    if (this.#journal.byteLength <= this.#compactBeyondBytes) return
    const last = this.groupIds().flatMap((group) =>
      this.all(group).flatMap(({topic, partitions}) => partitions.map((each) => ({group, topic, ...each}))),
    )
    this.#journal.replace(last)
    this.#compactBeyondBytes = Math.max(COMPACT_BEYOND_BYTES, 2 * this.#journal.byteLength)
  }
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const created = create()
  map.set(key, created)
  return created
}
