import {RECORD_BATCH_HEADER_BYTES} from '../chunk/index.js'

/** More requests at once than these gain nothing: the broker works through them one by one. */
export const REQUESTS_IN_FLIGHT = 8

/** The first ones that fit into one record batch, but always one: a batch for itself may be larger. */
export function firstBatch(
  queue: readonly {readonly bytes: number}[],
  maxBatchBytes: number,
): {readonly count: number; readonly recordBytes: number} {
  let batchBytes = RECORD_BATCH_HEADER_BYTES
  let count = 0
  for (const {bytes} of queue) {
    if (count > 0 && batchBytes + bytes > maxBatchBytes) break
    batchBytes += bytes
    count += 1
  }
  return {count, recordBytes: batchBytes - RECORD_BATCH_HEADER_BYTES}
}
