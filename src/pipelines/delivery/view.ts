/** What can be seen of a delivery from outside while it runs, beside its events. */
import type {PartitionStatus} from '../../core/ports/index.js'
import type {DeliveryHandler} from './delivery-handler.js'
import type {Tally} from './tally.js'

export interface DeliveryView {
  recordsRead(): number
  /** Null between two assignments. */
  partitions(): readonly PartitionStatus[] | null
  /** When the oldest of the files that are open was sent, ms since the epoch; null when none is. */
  oldestOpenMs(): number | null
}

export const viewOf = (handler: DeliveryHandler, tally: Tally): DeliveryView => ({
  recordsRead: () => tally.records,
  partitions: () =>
    handler.assignment?.entries().map(([partition, {ledger, readPosition, endOffset}]) => ({
      partition,
      position: readPosition,
      safeOffset: ledger.safeOffset,
      endOffset,
    })) ?? null,
  oldestOpenMs() {
    let oldest: number | null = null
    for (const {file} of handler.reassembly.openFiles()) {
      const {timestampMs} = file.order
      if (timestampMs >= 0 && (oldest === null || timestampMs < oldest)) oldest = timestampMs
    }
    return oldest
  },
})
