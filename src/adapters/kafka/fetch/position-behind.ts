import {readBatchHeader} from '../record-batch/header.js'
import {BatchFault} from '../record-batch/fault.js'

/**
 * The position behind the whole batches of a fetched record set, by their headers alone: what lets the next fetch
 * go out before these are decoded. Nothing is believed yet: when decoding ends earlier, the position goes back.
 */
export function positionBehind(records: Buffer, fromOffset: number): number {
  let nextOffset = fromOffset
  let at = 0
  try {
    for (let header = readBatchHeader(records, at); header !== null; header = readBatchHeader(records, at)) {
      nextOffset = Math.max(nextOffset, header.lastOffset + 1)
      at += header.byteLength
    }
  } catch (error) {
    if (!(error instanceof BatchFault)) throw error
  }
  return nextOffset
}
