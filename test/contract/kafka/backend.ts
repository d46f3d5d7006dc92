import {randomUUID} from 'node:crypto'
import type {
  ConsumedRecord,
  GroupConsumer,
  GroupOptions,
  OutgoingRecord,
  RecordProducer,
  TopicAdmin,
  TopicPartition,
  TopicReader,
} from '../../../src/core/ports/index.js'
import {Member} from './member.js'

/** What the contract suites need of a Kafka: its ports, and levers on the broker behind them. */
export interface KafkaBackend {
  readonly admin: TopicAdmin
  readonly producer: RecordProducer
  /** Absent where record batches are no bytes. */
  readonly compressingProducer?: (codec: 'gzip' | 'snappy' | 'lz4' | 'zstd') => RecordProducer
  readonly reader: TopicReader
  groupConsumer(options: GroupOptions): GroupConsumer
  /** The shortest that this broker and client allow, so that the suites need not wait. */
  readonly timing: Pick<Required<GroupOptions>, 'sessionTimeoutMs' | 'rebalanceTimeoutMs' | 'heartbeatMs'>
  readonly levers: Levers
  close(): Promise<void>
}

/** A lever that a broker lacks is null, and the promises that need it are not part of its suite. */
export interface Levers {
  addPartitions: ((topic: string, count: number) => Promise<void>) | null
  /** Deletes the records before `offset`. */
  trimLog: ((partition: TopicPartition, offset: number) => Promise<void>) | null
  /** Leaves records that no one may see at the end of the partition: an aborted transaction. */
  appendAborted: ((partition: TopicPartition, count: number) => Promise<void>) | null
  /** Ends a member's session, as missed heartbeats do. */
  expireMember: ((groupId: string, memberId: string) => Promise<void>) | null
  /** Stops the broker and starts it again on the same data; resolves when it answers. */
  restart: (() => Promise<void>) | null
}

/** Which levers a backend has must be known before it runs, when tests are declared. */
export type LeverName = keyof Levers

export interface BackendKind {
  readonly name: string
  readonly levers: readonly LeverName[]
  /** False: there is no wire, and nothing to be compressed. */
  readonly hasWire?: false
  start(): Promise<KafkaBackend>
}

export function uniqueName(label: string): string {
  return `${label}-${randomUUID().slice(0, 8)}`
}

export async function newTopic(
  {admin}: KafkaBackend,
  partitions = 1,
  config: Record<string, string> = {},
): Promise<string> {
  const topic = uniqueName('contract')
  await admin.createTopic(topic, {partitions, config})
  return topic
}

export function textRecord(text: string): OutgoingRecord {
  return {key: null, value: [Buffer.from(text)], headers: []}
}

export function textsOf(records: readonly ConsumedRecord[]): string[] {
  return records.map(({value}) => value?.toString() ?? '(null)')
}

/** Sends texts as one batch. @returns the base offset */
export async function sendTexts(
  {producer}: KafkaBackend,
  partition: TopicPartition,
  texts: readonly string[],
): Promise<number> {
  const {baseOffset} = await producer.send({...partition, records: texts.map(textRecord)})
  return baseOffset
}

export function numbered(label: string, count: number, from = 0): string[] {
  return Array.from({length: count}, (_, index) => `${label} ${from + index}`)
}

/** Everything that is on the topic now, in offset order, one list a partition, as a new group sees it. */
export async function readTopic(backend: KafkaBackend, topic: string): Promise<ConsumedRecord[][]> {
  const ranges = await backend.admin.partitionRanges(topic)
  const member = Member.start(backend, {topics: [topic]})
  try {
    await member.until('everything is read', () =>
      ranges.every(({partition, start, end}) => start === end || member.position(partition) >= end),
    )
    return ranges.map(({partition}) => member.recordsOf(partition))
  } finally {
    await member.stop()
  }
}
