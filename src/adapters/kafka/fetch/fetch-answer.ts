/**
 * A Fetch answer, cut into partitions; record batches stay bytes, views into the answer. An own decoder because
 * kafkajs's fails a whole answer on one partition's error and hides empty batches.
 *
 *   Fetch Response => throttle_ms:int32 {7+ error:int16 session:int32} [topic:string [partition]]
 *   partition      => index:int32 error:int16 high_watermark:int64 last_stable_offset:int64
 *                     {5+ log_start:int64} aborted:[producer:int64 first_offset:int64]
 *                     {11+ preferred_replica:int32} records:bytes
 *
 * Versions 4 (Kafka 0.11, the first with record batches) to 11. https://kafka.apache.org/protocol#The_Messages_Fetch
 */
import type {TopicPartition} from '../../../core/record.js'
import {BytesReader} from '../bytes.js'
import type {AbortedTransaction} from '../record-batch/types.js'

export const OLDEST_FETCH_VERSION = 4

export interface PartitionAnswer extends TopicPartition {
  readonly errorCode: number
  /** -1 with an error. */
  readonly highWatermark: number
  /** -1 when the broker does not say. */
  readonly lastStableOffset: number
  readonly abortedTransactions: readonly AbortedTransaction[]
  readonly records: Buffer
}

export interface FetchAnswer {
  readonly errorCode: number
  readonly partitions: readonly PartitionAnswer[]
}

const NO_RECORDS = Buffer.alloc(0)

/** @throws MalformedBytes */
export function decodeFetchAnswer(payload: Buffer, version: number): FetchAnswer {
  const reader = new BytesReader(payload)
  reader.int32()
  const errorCode = version >= 7 ? reader.int16() : 0
  if (version >= 7) reader.int32()
  const topics = reader.array((r) => {
    const topic = r.string()
    return r.array((r2) => decodePartition(r2, topic, version))
  })
  return {errorCode, partitions: topics.flat()}
}

function decodePartition(reader: BytesReader, topic: string, version: number): PartitionAnswer {
  const partition = reader.int32()
  const errorCode = reader.int16()
  const highWatermark = reader.safeInt64()
  const lastStableOffset = reader.safeInt64()
  if (version >= 5) reader.safeInt64()
  const abortedTransactions = reader.array((r) => ({producerId: r.int64(), firstOffset: r.safeInt64()}))
  if (version >= 11) reader.int32()
  const records = reader.nullableBytes() ?? NO_RECORDS
  return {topic, partition, errorCode, highWatermark, lastStableOffset, abortedTransactions, records}
}
