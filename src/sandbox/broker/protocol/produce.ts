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
 * request   transactional_id? acks timeout_ms [topic [partition records?]]
 * response  [topic [partition error base_offset log_append_time_ms log_start_offset (5+)]] throttle_ms
 * ```
 * Versions 0 to 2 carry the record formats before version 2 of Kafka's. They are advertised all the same, as
 * Apache Kafka does, because librdkafka concludes from them which compression codecs there are; asking for one
 * closes the connection.
 */
export const produce: Api<ProduceRequest, readonly ByTopic<ProducedPartition>[]> = {
  key: 0,
  name: 'Produce',
  versions: [3, 7],
  advertised: [0, 7],
  decode(reader) {
    const transactionalId = reader.nullableString()
    const acks = reader.int16()
    reader.int32()
    const topics = readByTopic(reader, () => ({
      partition: reader.int32(),
      records: reader.nullableBytes() ?? Buffer.alloc(0),
    }))
    return {transactionalId, acks, topics}
  },
  encode(writer, topics, version) {
    writeByTopic(writer, topics, ({partition, error, baseOffset, startOffset}) => {
      writer.int32(partition).int16(error).int64(baseOffset).int64(NO_APPEND_TIME)
      if (version >= 5) writer.int64(startOffset)
    })
    writer.int32(NO_THROTTLE_MS)
  },
}

/** Topics keep the producers' timestamps. */
const NO_APPEND_TIME = -1

export interface ProduceRequest {
  readonly transactionalId: string | null
  readonly acks: number
  readonly topics: readonly ByTopic<{readonly partition: number; readonly records: Buffer}>[]
}

export interface ProducedPartition extends PartitionStatus {
  readonly baseOffset: number
  readonly startOffset: number
}
