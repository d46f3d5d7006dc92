/** Records to a topic. */
import type {OutgoingRecord, TopicPartition} from '../record.js'

export interface RecordProducer {
  /**
   * Sends one record batch to one partition. Resolves only when the broker's answer names that partition with
   * error 0 and a base offset; retries through leader moves and outages until its patience ends, so a batch may
   * be on the topic more than once.
   * @throws MESSAGE_TOO_LARGE, TOPIC_UNKNOWN, NOT_AUTHORISED, BROKER_UNREACHABLE; or the signal's reason
   */
  send(batch: ProduceBatch, signal?: AbortSignal): Promise<{readonly baseOffset: number}>
  close(): Promise<void>
}

export interface ProduceBatch extends TopicPartition {
  readonly records: readonly OutgoingRecord[]
}
