import {Refusal} from '../protocol/errors.js'
import type {BatchHeader} from './record-batch.js'

/** As many as a producer may have in flight, so that each of them can be recognised when it is sent again. */
const REMEMBERED_BATCHES = 5
/** Beyond, the producer that has been silent for longest is forgotten. */
const REMEMBERED_PRODUCERS = 10_000
const SEQUENCES = 2 ** 31

interface ProducerState {
  readonly epoch: number
  /** Oldest first, never empty. */
  readonly batches: {readonly first: number; readonly last: number; readonly baseOffset: number}[]
}

/**
 * What idempotent producers have written to one partition, so that a batch sent twice is stored once (KIP-98).
 * Rebuilt from the batch headers when the log is opened.
 */
export class ProducerStates {
  readonly #states = new Map<number, ProducerState>()

  /**
   * @returns the base offset under which exactly this batch is stored already, or null when it is new
   * @throws Refusal INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER
   */
  check(batch: BatchHeader): number | null {
    const state = this.#states.get(batch.producerId)
    if (batch.producerId < 0 || state === undefined) return null
    if (batch.producerEpoch < state.epoch) throw new Refusal('INVALID_PRODUCER_EPOCH')
    const isNewEpoch = batch.producerEpoch > state.epoch
    const last = lastSequence(batch)
    const earlier = state.batches.find(({first, last: end}) => first === batch.baseSequence && end === last)
    if (earlier !== undefined && !isNewEpoch) return earlier.baseOffset
    const expected = isNewEpoch ? 0 : ((state.batches.at(-1)?.last ?? -1) + 1) % SEQUENCES
    if (batch.baseSequence !== expected) {
      throw new Refusal(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `sequence ${batch.baseSequence}, expected ${expected}`,
      )
    }
    return null
  }

  /** @param batch stored, so its base offset is the log's */
  record(batch: BatchHeader): void {
    if (batch.producerId < 0) return
    const state = this.#states.get(batch.producerId)
    const batches = state?.epoch === batch.producerEpoch ? state.batches : []
    batches.push({first: batch.baseSequence, last: lastSequence(batch), baseOffset: batch.baseOffset})
    if (batches.length > REMEMBERED_BATCHES) batches.shift()
    this.#states.delete(batch.producerId)
    this.#states.set(batch.producerId, {epoch: batch.producerEpoch, batches})
    const [oldest] = this.#states.keys()
    if (this.#states.size > REMEMBERED_PRODUCERS && oldest !== undefined) this.#states.delete(oldest)
  }
}

function lastSequence({baseSequence, recordCount}: BatchHeader): number {
  return (baseSequence + recordCount - 1) % SEQUENCES
}
