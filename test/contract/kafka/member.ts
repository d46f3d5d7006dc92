import type {
  AssignedPartition,
  ConsumedRecord,
  Epoch,
  GroupHandler,
  GroupOptions,
  PartitionRange,
  RecordBatch,
  RevokeReason,
  StartPosition,
  TopicPartition,
} from '../../../src/core/ports/index.js'
import {eventually} from '../../support/eventually.js'
import {uniqueName, type KafkaBackend} from './backend.js'

export type MemberEvent =
  | {type: 'assigned'; epoch: Epoch; partitions: readonly AssignedPartition[]}
  | {type: 'revoked'; epoch: Epoch; partitions: readonly TopicPartition[]; reason: RevokeReason}
  | {type: 'records'; batch: RecordBatch}
  | {type: 'out of range'; range: PartitionRange; position: number}

/** What a test changes about a member: each is called in place of the default and may hold the call up. */
export interface MemberBehaviour {
  startAt?: (partition: AssignedPartition) => number
  assigned?: (epoch: Epoch) => Promise<void>
  records?: (batch: RecordBatch) => Promise<void> | void
  revoked?: (epoch: Epoch, reason: RevokeReason) => Promise<void>
  outOfRange?: (range: PartitionRange, position: number) => number
}

/**
 * A member of a group that writes everything down. By default it starts where the group stands, or at the
 * beginning, and holds nothing up.
 */
export class Member {
  readonly events: MemberEvent[] = []
  readonly groupId: string
  /** Settles when `run` has; a failure nobody looks at is thrown by `stop`. */
  readonly run: Promise<void>
  #stopping = new AbortController()
  #ended: {error: unknown} | 'stopped' | null = null

  static start(
    backend: KafkaBackend,
    options: Partial<GroupOptions> & Pick<GroupOptions, 'topics'>,
    behaviour: MemberBehaviour = {},
  ): Member {
    return new Member(backend, options, behaviour)
  }

  private constructor(
    backend: KafkaBackend,
    options: Partial<GroupOptions> & Pick<GroupOptions, 'topics'>,
    behaviour: MemberBehaviour,
  ) {
    this.groupId = options.groupId ?? uniqueName('group')
    const consumer = backend.groupConsumer({
      instanceId: null,
      leaveOnStop: true,
      ...backend.timing,
      ...options,
      groupId: this.groupId,
    })
    this.run = consumer.run(this.#handler(behaviour), this.#stopping.signal)
    this.run.then(
      () => (this.#ended = 'stopped'),
      (error: unknown) => (this.#ended = {error}),
    )
  }

  /** Stops gracefully. @throws what `run` failed with */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.run
  }

  /** For `finally`: also where `run` failed, or may have. */
  async stopAnyhow(): Promise<void> {
    await this.stop().catch(() => undefined)
  }

  get assignments() {
    return this.events.filter((event) => event.type === 'assigned')
  }

  get revocations() {
    return this.events.filter((event) => event.type === 'revoked')
  }

  get batches(): RecordBatch[] {
    return this.events.flatMap((event) => (event.type === 'records' ? [event.batch] : []))
  }

  get epoch(): Epoch {
    const last = this.assignments.at(-1)
    if (!last) throw new Error('nothing was assigned yet')
    return last.epoch
  }

  /** Numbers of the partitions of the newest epoch, in order; null before there is one or once it was revoked. */
  get partitions(): number[] | null {
    const newest = this.events.findLast(({type}) => type === 'assigned' || type === 'revoked')
    if (newest?.type !== 'assigned') return null
    return newest.partitions.map(({partition}) => partition).sort((a, b) => a - b)
  }

  recordsOf(partition: number): ConsumedRecord[] {
    return this.batches.flatMap((batch) => (batch.partition === partition ? batch.records : []))
  }

  offsetsOf(partition: number): number[] {
    return this.recordsOf(partition).map(({offset}) => offset)
  }

  /** The position after the newest batch of the partition; -1 before the first. */
  position(partition: number): number {
    return this.batches.findLast((batch) => batch.partition === partition)?.nextOffset ?? -1
  }

  /** Waits for a condition; fails at once when `run` ends meanwhile. */
  async until(what: string, condition: () => boolean): Promise<void> {
    await eventually(what, () => {
      if (condition()) return true
      if (this.#ended === 'stopped') throw new Error(`the member stopped before ${what}`)
      if (this.#ended) throw this.#ended.error
      return false
    })
  }

  async untilAssigned(partitions: readonly number[]): Promise<void> {
    await this.until(`partitions ${partitions.join()} are assigned`, () => {
      const mine = this.partitions
      return mine !== null && mine.join() === partitions.join()
    })
  }

  async untilRead(partition: number, count: number): Promise<void> {
    await this.until(
      `${count} records of partition ${partition} are read`,
      () => this.recordsOf(partition).length >= count,
    )
  }

  #handler(behaviour: MemberBehaviour): GroupHandler {
    return {
      assigned: async (epoch, partitions): Promise<StartPosition[]> => {
        this.events.push({type: 'assigned', epoch, partitions})
        await behaviour.assigned?.(epoch)
        const startAt = behaviour.startAt ?? ((assigned) => assigned.committed?.offset ?? assigned.start)
        return partitions.map((assigned) => ({
          topic: assigned.topic,
          partition: assigned.partition,
          offset: startAt(assigned),
        }))
      },
      records: async (batch) => {
        // Copied, as a handler that keeps records has to.
        const records = batch.records.map((record) => ({
          ...record,
          key: record.key && Buffer.from(record.key),
          value: record.value && Buffer.from(record.value),
        }))
        this.events.push({type: 'records', batch: {...batch, records}})
        await behaviour.records?.(batch)
      },
      revoked: async (epoch, partitions, reason) => {
        this.events.push({type: 'revoked', epoch, partitions, reason})
        await behaviour.revoked?.(epoch, reason)
      },
      outOfRange: async (_epoch, range, position) => {
        this.events.push({type: 'out of range', range, position})
        return behaviour.outOfRange?.(range, position) ?? range.start
      },
    }
  }
}
