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
 * request   replica_id isolation_level (2+) [topic [partition timestamp]]
 * response  throttle_ms (2+) [topic [partition error timestamp offset]]
 * ```
 */
export const listOffsets: Api<readonly ByTopic<TimestampQuery>[], readonly ByTopic<ListedOffset>[]> = {
  key: 2,
  name: 'ListOffsets',
  versions: [1, 3],
  decode(reader, version) {
    reader.int32()
    if (version >= 2) reader.int8()
    return readByTopic(reader, () => ({partition: reader.int32(), timestampMs: reader.int64()}))
  },
  encode(writer, topics, version) {
    if (version >= 2) writer.int32(NO_THROTTLE_MS)
    writeByTopic(writer, topics, ({partition, error, timestampMs, offset}) =>
      writer.int32(partition).int16(error).int64(timestampMs).int64(offset),
    )
  },
}

export interface TimestampQuery {
  readonly partition: number
  /** Or {@link LATEST}, {@link EARLIEST}. */
  readonly timestampMs: number
}
export const LATEST = -1
export const EARLIEST = -2

export interface ListedOffset extends PartitionStatus {
  readonly timestampMs: number
  readonly offset: number
}

/**
 * ```
 * request   [topic [partition offset]] timeout_ms
 * response  throttle_ms [topic [partition low_watermark error]]
 * ```
 */
export const deleteRecords: Api<readonly ByTopic<DeleteBefore>[], readonly ByTopic<DeletedRecords>[]> = {
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 1],
  decode: (reader) => readByTopic(reader, () => ({partition: reader.int32(), offset: reader.int64()})),
  encode(writer, topics) {
    writer.int32(NO_THROTTLE_MS)
    writeByTopic(writer, topics, ({partition, error, startOffset}) =>
      writer.int32(partition).int64(startOffset).int16(error),
    )
  },
}

export interface DeleteBefore {
  readonly partition: number
  /** Or {@link LATEST}. */
  readonly offset: number
}

export interface DeletedRecords extends PartitionStatus {
  readonly startOffset: number
}
