/** Records from a topic, without a consumer group. */
import type {ConsumedRecord} from '../record.js'
import type {PartitionRange} from './topics.js'

export interface TopicReader {
  /**
   * Reads what can be seen of `start <= offset < end` of one partition, in offset order. Resolves when the position
   * has passed `end`. Records below the log's start or beyond its end are simply not there.
   * @param onRecords awaited before more is fetched
   * @throws TOPIC_UNKNOWN, NOT_AUTHORISED, BROKER_UNREACHABLE, CODEC_UNKNOWN, BATCH_CORRUPT; or the signal's
   *   reason; or what `onRecords` threw
   */
  read(
    range: PartitionRange,
    onRecords: (records: readonly ConsumedRecord[], nextOffset: number) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void>
  close(): Promise<void>
}
