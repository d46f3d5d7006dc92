/**
 * Records that a stream processor gave up on, read from its dead-letter topic: by the headers of Spring Cloud Stream,
 * which `passthrough` writes too, or by those of Kafka Connect (KIP-298, text):
 *
 *     x-original-topic  x-original-partition (int32)  x-original-offset (int64)  …  x-exception-*
 *     __connect.errors.topic  .partition  .offset  .stage  .class.name  .exception.*
 *
 * What a letter has added is taken off again. A record that failed twice has Spring's headers twice; the last of each
 * are this letter's. Anybody may write to the topic: nothing is believed before it is checked.
 */
import type {ConsumedRecord, RecordHeader} from '../record.js'
import type {RecordOrigin} from './letter.js'

export interface FailedRecord {
  readonly origin: RecordOrigin
  /** As the record had them before it failed. */
  readonly headers: readonly RecordHeader[]
}

const SPRING = [
  'x-original-topic',
  'x-original-partition',
  'x-original-offset',
  'x-original-timestamp',
  'x-original-timestamp-type',
  'x-exception-fqcn',
  'x-exception-message',
  'x-exception-stacktrace',
]
const CONNECT = '__connect.errors.'
/** Kafka's own rule. */
const TOPIC = /^[a-zA-Z0-9._-]{1,249}$/
const NATURAL = /^(0|[1-9]\d{0,15})$/

/** @returns null when it is no such letter, or says what cannot be */
export function decodeFailedRecord({headers}: Pick<ConsumedRecord, 'headers'>): FailedRecord | null {
  return fromSpring(headers) ?? fromConnect(headers)
}

function fromSpring(headers: readonly RecordHeader[]): FailedRecord | null {
  const at = new Map(SPRING.map((name) => [name, headers.findLastIndex(({key}) => key === name)]))
  const valueOf = (name: string) => headers[at.get(name) ?? -1]?.value ?? null
  const [topic, partition, offset] = ['x-original-topic', 'x-original-partition', 'x-original-offset'].map(
    valueOf,
  )
  if (!topic || partition?.length !== 4 || offset?.length !== 8) return null
  const origin = originOf(topic.toString('utf8'), partition.readInt32BE(), Number(offset.readBigInt64BE()))
  const added = new Set(at.values())
  return origin && {origin, headers: headers.filter((_, i) => !added.has(i))}
}

function fromConnect(headers: readonly RecordHeader[]): FailedRecord | null {
  const text = (name: string) =>
    headers.findLast(({key}) => key === `${CONNECT}${name}`)?.value?.toString('utf8') ?? ''
  const [partition, offset] = [text('partition'), text('offset')]
  if (!NATURAL.test(partition) || !NATURAL.test(offset)) return null
  const origin = originOf(text('topic'), Number(partition), Number(offset))
  return origin && {origin, headers: headers.filter(({key}) => !key.startsWith(CONNECT))}
}

function originOf(topic: string, partition: number, offset: number): RecordOrigin | null {
  const isPossible = Number.isSafeInteger(offset) && offset >= 0 && partition >= 0
  return TOPIC.test(topic) && isPossible ? {topic, partition, offset} : null
}
