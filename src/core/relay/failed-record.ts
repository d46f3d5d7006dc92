/**
 * A record that failed, as it goes to a dead-letter topic: key, value and headers as they were, and behind them what
 * Spring Cloud Stream's Kafka binder adds, so that whatever reads its dead letters reads these too.
 *
 *     x-original-topic           UTF-8
 *     x-original-partition       int32, big-endian
 *     x-original-offset          int64, big-endian
 *     x-original-timestamp       int64, big-endian, ms since the epoch
 *     x-original-timestamp-type  CreateTime | LogAppendTime | NoTimestampType
 *     x-exception-fqcn           always the class that the binder wraps failures in
 *     x-exception-message        what wraps it; what went wrong
 *     x-exception-stacktrace
 *
 * A record that came from a dead-letter topic has them twice then, and the last of each counts.
 */
import type {ConsumedRecord, OutgoingRecord, RecordHeader} from '../record.js'

export const FAILED_RECORD_HEADER = {
  topic: 'x-original-topic',
  partition: 'x-original-partition',
  offset: 'x-original-offset',
  timestamp: 'x-original-timestamp',
  timestampType: 'x-original-timestamp-type',
  exception: 'x-exception-fqcn',
  message: 'x-exception-message',
  stackTrace: 'x-exception-stacktrace',
} as const

const EXCEPTION = 'org.springframework.messaging.MessageHandlingException'
/** How much is told of what went wrong, in characters. */
export interface ToldLengths {
  readonly message: number
  readonly stackTrace: number
}
/** Enough for the causes, and small beside a record's limit. */
const USUAL: ToldLengths = {message: 4 * 1024, stackTrace: 16 * 1024}
/** For a record that is near that limit itself. */
export const TOLD_IN_SHORT: ToldLengths = {message: 256, stackTrace: 256}

/** The time is that of sending, as the binder has it. */
export function failedRecord(
  record: ConsumedRecord,
  transform: string,
  error: Error,
  told: ToldLengths = USUAL,
): OutgoingRecord {
  const {topic, partition, offset, timestampMs} = record
  const message = `error occurred in message handler [streamtool ${transform}]; ${error.message}`
  return {
    key: record.key,
    value: record.value === null ? null : [record.value],
    headers: [
      ...record.headers,
      text(FAILED_RECORD_HEADER.topic, topic),
      int32(FAILED_RECORD_HEADER.partition, partition),
      int64(FAILED_RECORD_HEADER.offset, offset),
      int64(FAILED_RECORD_HEADER.timestamp, timestampMs),
      text(FAILED_RECORD_HEADER.timestampType, timestampType(record)),
      text(FAILED_RECORD_HEADER.exception, EXCEPTION),
      text(FAILED_RECORD_HEADER.message, message.slice(0, told.message)),
      text(FAILED_RECORD_HEADER.stackTrace, traceOf(message, error).slice(0, told.stackTrace)),
    ],
  }
}

export const deadLetterTopicOf = (input: string, group: string) => `error.${input}.${group}`

function timestampType({timestampMs, isLogAppendTime}: ConsumedRecord): string {
  if (timestampMs < 0) return 'NoTimestampType'
  return isLogAppendTime === true ? 'LogAppendTime' : 'CreateTime'
}

function traceOf(message: string, error: Error): string {
  return `${EXCEPTION}: ${message}\nCaused by: ${error.stack ?? String(error)}`
}

const text = (key: string, value: string): RecordHeader => ({key, value: Buffer.from(value)})

function int32(key: string, value: number): RecordHeader {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return {key, value: bytes}
}

function int64(key: string, value: number): RecordHeader {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return {key, value: bytes}
}
