/**
 * Leaves out the records of aborted transactions, as a read_committed reader must: the broker sends them, together
 * with the list of aborted transactions and, in the log, a marker where each one ended.
 */
import type {Buffer} from 'node:buffer'
import {Cursor} from './cursor.js'
import {BatchFault} from './fault.js'
import type {BatchHeader} from './header.js'
import type {AbortedTransaction} from './types.js'

const ABORT_MARKER = 0

export class AbortedTransactions {
  readonly #upcoming: AbortedTransaction[]
  readonly #open = new Set<bigint>()

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#upcoming = [...transactions].sort((a, b) => b.firstOffset - a.firstOffset)
  }

  /** To be called for each batch, in order, before {@link hides} is asked for it. */
  reach(header: BatchHeader): void {
    for (let next = this.#upcoming.at(-1); next !== undefined; next = this.#upcoming.at(-1)) {
      if (next.firstOffset > header.lastOffset) return
      this.#open.add(next.producerId)
      this.#upcoming.pop()
    }
  }

  hides(header: BatchHeader): boolean {
    return header.isTransactional && this.#open.has(header.producerId)
  }

  /** A control batch ends a transaction of its producer. */
  end(header: BatchHeader, body: Buffer): void {
    if (header.recordCount > 0 && readControlType(body) === ABORT_MARKER) this.#open.delete(header.producerId)
  }
}

/** The key of a control record: int16 version | int16 type. */
function readControlType(body: Buffer): number {
  const cursor = new Cursor(body)
  cursor.enter()
  cursor.byte()
  cursor.varlong()
  cursor.varint()
  const key = cursor.nullableBytes()
  if (key === null || key.length < 4) throw new BatchFault('its control record has no type')
  return key.readInt16BE(2)
}
