/** Hands one partition's part of an answer to the handler, decoded and checked at that moment. */
import {StreamtoolError} from '../../../core/errors.js'
import {decodeRecordSet} from '../record-batch/decode.js'
import type {DecodedRecordSet} from '../record-batch/types.js'
import type {Cluster} from '../transport/cluster.js'
import {ProtocolFailure} from '../transport/failures.js'
import {errorOfCode} from '../transport/kafkajs-internals.js'
import type {PartitionAnswer} from './fetch-answer.js'
import {verdictOf} from './fetch-codes.js'
import type {FetchedPartition, Ticket} from './fetched-partition.js'
import type {FetchHandler} from './fetch-handler.js'
import type {Delivery} from './leader-reader.js'
import {extentsOf} from './leader-requests.js'

const OFFSET_NOT_AVAILABLE = 78

export interface DeliveringHooks {
  readonly control: Cluster
  readonly signal: AbortSignal
  failed(partitions: readonly FetchedPartition[], error: unknown): void
  /** What the handler threw. */
  fatal(error: unknown): void
}

export class Delivering {
  constructor(
    private readonly handler: FetchHandler,
    private readonly hooks: DeliveringHooks,
  ) {}

  /** Never rejects. */
  async deliver(delivery: Delivery): Promise<void> {
    if (verdictOf(delivery.answer.errorCode) === 'out-of-range') await this.#askWhereToGoOn(delivery.ticket)
    else await this.#handOver(delivery)
  }

  /** Mostly at one go; bit by bit what becomes large when it is uncompressed. */
  async #handOver({ticket, answer, lease, nextOffset}: Delivery): Promise<void> {
    const {partition} = ticket
    const answeredEnd = answer.lastStableOffset < 0 ? answer.highWatermark : answer.lastStableOffset
    let position = ticket.offset
    if (answer.records.length === 0) return this.#handOverNothing(ticket, answeredEnd)
    do {
      const decoded = await this.#decode(ticket, answer, position)
      if (decoded === null || this.#isStale(ticket)) return
      position = decoded.nextOffset
      partition.succeeded()
      const {topic, partition: index} = partition
      const {records} = decoded
      // A broker looks at its end before it reads the log: records that came in between are in the answer too.
      const endOffset = Math.max(answeredEnd, decoded.nextOffset)
      const batch = {topic, partition: index, records, nextOffset: decoded.nextOffset, endOffset}
      await this.#call(() => this.handler.records({...batch, release: lease.hold()}))
    } while (position < nextOffset && !this.#isStale(ticket))
  }

  /** Whoever reads a range learns by it that the log ends before the range does. */
  async #handOverNothing({partition, offset}: Ticket, endOffset: number): Promise<void> {
    const {topic, partition: index} = partition
    const release = () => undefined
    const nothing = {topic, partition: index, records: [], nextOffset: offset, endOffset, release}
    await this.#call(() => this.handler.records(nothing))
  }

  /** Null when there is nothing in it; then the partition is read from this position again. */
  async #decode(ticket: Ticket, answer: PartitionAnswer, position: number): Promise<DecodedRecordSet | null> {
    const {partition} = ticket
    try {
      const decoded = await decodeRecordSet({
        topic: partition.topic,
        partition: partition.partition,
        bytes: answer.records,
        fromOffset: position,
        abortedTransactions: answer.abortedTransactions,
      })
      if (decoded.nextOffset > position) return decoded
      throw nothingWhole(ticket, answer.records.length)
    } catch (error) {
      if (this.#isStale(ticket)) return null
      partition.moveTo(position)
      this.hooks.failed([partition], error)
      return null
    }
  }

  /**
   * A position that the partition does have after all is tried again: a leader that has just taken over may not
   * know its end yet.
   */
  async #askWhereToGoOn(ticket: Ticket): Promise<void> {
    const {partition, offset} = ticket
    const {control, signal} = this.hooks
    try {
      const [extent] = await extentsOf(control, [partition], signal)
      if (extent === undefined || this.#isStale(ticket)) return
      const {topic, start, end, highWatermark} = extent
      if (offset >= start && offset <= highWatermark) {
        this.hooks.failed([partition], new ProtocolFailure(errorOfCode(OFFSET_NOT_AVAILABLE)))
        return
      }
      const range = {topic, partition: extent.partition, start, end}
      await this.#call(async () => {
        const position = await this.handler.outOfRange(range, offset)
        if (partition.isCurrent(ticket)) partition.moveTo(position)
      })
    } catch (error) {
      if (!signal.aborted) this.hooks.failed([partition], error)
    }
  }

  #isStale(ticket: Ticket): boolean {
    return this.hooks.signal.aborted || !ticket.partition.isCurrent(ticket)
  }

  async #call(handler: () => Promise<void>): Promise<void> {
    try {
      await handler()
    } catch (error) {
      this.hooks.fatal(error)
    }
  }
}

/** A broker sends the first batch whole, however large, so a later try has it; or it has nonsense. */
function nothingWhole({partition, offset}: Ticket, byteLength: number): StreamtoolError {
  const where = `${partition.topic}, partition ${partition.partition}, offset ${offset}`
  return new StreamtoolError('BATCH_CORRUPT', `${where}: no whole record batch in ${byteLength} bytes`, {
    facts: {topic: partition.topic, partition: partition.partition, offset},
  })
}
