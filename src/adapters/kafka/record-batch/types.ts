/** What the record-batch codec is given and gives back; the layout is in `header.ts`. */
import type {Buffer} from 'node:buffer'
import type {ConsumedRecord} from '../../../core/record.js'

/** A transaction of this producer that begins at this offset was aborted; from a Fetch answer. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

export interface RecordSet {
  readonly topic: string
  readonly partition: number
  /** The bytes of one partition in a Fetch answer: whole batches, and perhaps a part of one more. */
  readonly bytes: Buffer
  /** The position that was asked for: records before it are not answered. */
  readonly fromOffset: number
  readonly abortedTransactions: readonly AbortedTransaction[]
}

export interface DecodedRecordSet {
  /** In offset order, none below `fromOffset`, none of an aborted transaction, no control record. */
  readonly records: readonly ConsumedRecord[]
  /** The position behind the last batch that was read, whether or not it had records to see; else `fromOffset`. */
  readonly nextOffset: number
  /** Whole batches that were read. */
  readonly batchCount: number
}
