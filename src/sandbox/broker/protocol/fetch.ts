import {
  NO_THROTTLE_MS,
  readByTopic,
  writeByTopic,
  type Api,
  type ByTopic,
  type PartitionStatus,
} from './api.js'

/**
 * ```
 * request   replica_id max_wait_ms min_bytes max_bytes isolation_level session_id (7+) session_epoch (7+)
 *           [topic [partition leader_epoch (9+) fetch_offset log_start_offset (5+) max_bytes]]
 *           [forgotten_topic [partition]] (7+) rack_id (11+)
 * response  throttle_ms error (7+) session_id (7+) [topic [partition]]
 *   partition  index error high_watermark last_stable_offset log_start_offset (5+)
 *              [aborted_transaction]? preferred_read_replica (11+) records
 * ```
 * There are no fetch sessions (KIP-227): a client that asks for one is given session 0, which means none.
 */
export const fetch: Api<FetchRequest, FetchResponse> = {
  key: 1,
  name: 'Fetch',
  versions: [4, 11],
  decode(reader, version) {
    reader.int32()
    const maxWaitMs = reader.int32()
    const minBytes = reader.int32()
    const maxBytes = reader.int32()
    reader.int8()
    const sessionId = version >= 7 ? reader.int32() : 0
    if (version >= 7) reader.int32()
    const topics = readByTopic(reader, () => {
      const partition = reader.int32()
      if (version >= 9) reader.int32()
      const offset = reader.int64()
      if (version >= 5) reader.int64()
      return {partition, offset, maxBytes: reader.int32()}
    })
    if (version >= 7) readByTopic(reader, () => reader.int32())
    if (version >= 11) reader.string()
    return {maxWaitMs, minBytes, maxBytes, sessionId, topics}
  },
  encode(writer, {error, topics}, version) {
    writer.int32(NO_THROTTLE_MS)
    if (version >= 7) writer.int16(error).int32(0)
    writeByTopic(writer, topics, ({partition, error, startOffset, endOffset, records}) => {
      writer.int32(partition).int16(error).int64(endOffset).int64(endOffset)
      if (version >= 5) writer.int64(startOffset)
      writer.array([], () => undefined)
      if (version >= 11) writer.int32(-1)
      writer.bytesByReference(records)
    })
  },
}

export interface FetchRequest {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly sessionId: number
  readonly topics: readonly ByTopic<FetchPosition>[]
}

export interface FetchPosition {
  readonly partition: number
  readonly offset: number
  readonly maxBytes: number
}

export interface FetchResponse {
  readonly error: number
  readonly topics: readonly ByTopic<FetchedPartition>[]
}

export interface FetchedPartition extends PartitionStatus {
  readonly startOffset: number
  readonly endOffset: number
  readonly records: Buffer
}
