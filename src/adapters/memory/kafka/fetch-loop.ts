import type {ConsumedRecord} from '../../../core/record.js'
import type {Epoch, GroupHandler, StartPosition, TopicPartition} from '../../../core/ports/index.js'
import type {Cluster} from './cluster.js'
import type {PartitionLog} from './partition-log.js'

interface Cursor {
  readonly log: PartitionLog
  position: number
}

/** Many answers in a row may all be microtasks; now and then timers and sockets get their turn. */
const ANSWERS_PER_TURN = 64
const OVERWRITTEN = 0xdb
const nextTurn = (
  (schedule) => () =>
    new Promise<void>((resolve) => schedule(resolve))
)(setImmediate)

/** Reads the partitions of one epoch and hands batches over, one at a time, as from a single broker. */
export class FetchLoop {
  readonly #cluster: Cluster
  readonly #arrival: () => Promise<void>
  #cursors: readonly Cursor[] = []
  #stopped = false
  /** Something happened since the logs were last looked at. */
  #rung = false
  #answerBell: (() => void) | null = null

  constructor(cluster: Cluster, arrival: () => Promise<void>) {
    this.#cluster = cluster
    this.#arrival = arrival
  }

  seek({topic, partition}: TopicPartition, offset: number): void {
    const cursor = this.#cursors.find(({log}) => log.topic === topic && log.partition === partition)
    if (!cursor) throw new Error(`seek to ${topic}/${partition}, which this epoch does not read`)
    cursor.position = offset
    this.#ring()
  }

  /** No handler call begins after this; one that is under way goes on. */
  stop(): void {
    this.#stopped = true
    this.#ring()
  }

  /** Resolves when stopped and the last handler call has settled; rejects with what a handler throws. */
  async run(starts: readonly StartPosition[], handler: GroupHandler, epoch: Epoch): Promise<void> {
    this.#cursors = starts.map((start) => ({log: this.#cluster.log(start), position: start.offset}))
    const unsubscribe = this.#cluster.onChange(() => this.#ring())
    try {
      for (let answers = 1; !this.#stopped; answers++) {
        await this.#arrival()
        if (answers % ANSWERS_PER_TURN === 0) await nextTurn()
        this.#rung = false
        const delivered = await this.#deliverAnswer(handler, epoch)
        if (!delivered) await this.#nextRing()
      }
    } finally {
      unsubscribe()
    }
  }

  /**
   * All partitions are read first and handed over one after another, so that a seek, or the end of the epoch,
   * meets batches that are fetched already.
   *
   * @returns whether there was anything to hand over
   */
  async #deliverAnswer(handler: GroupHandler, epoch: Epoch): Promise<boolean> {
    const fetched = this.#cursors
      .filter(({log, position}) => position !== log.end)
      .map((cursor) => ({
        cursor,
        from: cursor.position,
        range: cursor.log.range(),
        slice: cursor.log.read(cursor.position, this.#cluster.fetchRecords),
      }))
    for (const {cursor, from, range, slice} of fetched) {
      if (this.#stopped) break
      if (cursor.position !== from) continue
      const {topic, partition, start, end} = range
      if (from < start || from > end) {
        cursor.position = await handler.outOfRange(epoch, range, from)
        continue
      }
      cursor.position = slice.nextOffset
      const {records, nextOffset} = slice
      await handler.records({topic, partition, epoch, ...lent(records), nextOffset, endOffset: end})
    }
    return fetched.length > 0
  }

  #ring(): void {
    this.#rung = true
    this.#answerBell?.()
    this.#answerBell = null
  }

  #nextRing(): Promise<void> {
    if (this.#rung || this.#stopped) return Promise.resolve()
    return new Promise((resolve) => (this.#answerBell = resolve))
  }
}

/** Copies, of which nothing is left when they are released: whoever holds on to one is found out. */
function lent(records: readonly ConsumedRecord[]): {records: ConsumedRecord[]; release: () => void} {
  const copies: Buffer[] = []
  const copyOf = (bytes: Buffer | null): Buffer | null => {
    if (bytes === null) return null
    const copy = Buffer.from(bytes)
    copies.push(copy)
    return copy
  }
  const lent = records.map((record) => ({
    ...record,
    key: copyOf(record.key),
    value: copyOf(record.value),
    headers: record.headers.map(({key, value}) => ({key, value: copyOf(value)})),
  }))
  return {records: lent, release: () => copies.forEach((copy) => copy.fill(OVERWRITTEN))}
}
