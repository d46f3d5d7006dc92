import {setTimeout as delay} from 'node:timers/promises'
import {gzipSync} from 'node:zlib'
import {BytesWriter} from '../../../../../src/adapters/kafka/bytes.js'
import {crc32c} from '../../../../../src/adapters/system/crc32c.js'
import {encodeRecordBatch} from '../../../../../src/adapters/kafka/record-batch/encode.js'
import type {Cluster} from '../../../../../src/adapters/kafka/transport/cluster.js'
import {ProtocolFailure} from '../../../../../src/adapters/kafka/transport/failures.js'
import {errorOfCode} from '../../../../../src/adapters/kafka/transport/kafkajs-internals.js'
import type {Broker, TopicMetadata} from '../../../../../src/adapters/kafka/transport/metadata.js'
import type {ApiArgs, FetchArgs} from '../../../../../src/adapters/kafka/transport/protocol.js'

export const TOPIC = 'files'
const FETCH_VERSION = 11
const NOT_LEADER = 6
const OFFSET_OUT_OF_RANGE = 1
const ONE_RECORD = [{key: null, value: [Buffer.from('gone')], headers: []}]

interface StoredBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly bytes: Buffer
}

/** What the script says about one partition of an answer before it goes out. */
export interface PartitionReply {
  readonly partition: number
  errorCode: number
  records: Buffer
}

interface FetchCall {
  readonly broker: Broker
  readonly partitions: readonly {readonly partition: number; readonly offset: number}[]
}

/** One topic on brokers that a test moves, breaks and makes lie; only what reading asks of a cluster. */
export class ScriptedCluster {
  readonly addresses = 'scripted:9092'
  readonly fetches: FetchCall[] = []
  /** By how many offsets the end that is told stays behind the records of the same answer. */
  endSeenTooEarly = 0
  /** May throw, as a broken connection does, or hold the answer up. */
  beforeFetch: (call: FetchCall) => void | Promise<void> = () => undefined
  /** May change what is answered of a partition. */
  onReply: (reply: PartitionReply, call: FetchCall) => void = () => undefined
  logStart = 0
  refreshes = 0
  readonly #logs: StoredBatch[][]
  readonly #ends: number[]
  readonly #leaders: (number | null)[]
  #knownLeaders: (number | null)[]
  topicErrorCode = 0

  constructor(partitions: number) {
    this.#logs = Array.from({length: partitions}, () => [])
    this.#ends = Array.from({length: partitions}, () => 0)
    this.#leaders = Array.from({length: partitions}, () => 1)
    this.#knownLeaders = [...this.#leaders]
  }

  /** As the code under test sees it. */
  get asCluster(): Cluster {
    return this as unknown as Cluster
  }

  append(partition: number, texts: readonly string[]): void {
    const records = texts.map((text) => ({key: null, value: [Buffer.from(text)], headers: []}))
    const bytes = Buffer.concat([...encodeRecordBatch(records, {nowMs: 0}).buffers])
    this.#store(partition, bytes, texts.length)
  }

  /** One record, in a batch of its own. */
  appendGzipped(partition: number, value: Buffer): void {
    const plain = Buffer.concat([
      ...encodeRecordBatch([{key: null, value: [value], headers: []}], {nowMs: 0}).buffers,
    ])
    const bytes = Buffer.concat([plain.subarray(0, 61), gzipSync(plain.subarray(61), {level: 1})])
    bytes.writeInt32BE(bytes.length - 12, 8)
    bytes.writeInt16BE(1, 21)
    this.#store(partition, resealed(bytes), 1)
  }

  /** Offsets that compaction has emptied: a batch without records. */
  appendEmptied(partition: number, offsets: number): void {
    const bytes = Buffer.concat([...encodeRecordBatch(ONE_RECORD, {nowMs: 0}).buffers]).subarray(0, 61)
    bytes.writeInt32BE(49, 8)
    bytes.writeInt32BE(offsets - 1, 23)
    bytes.writeInt32BE(0, 57)
    this.#store(partition, resealed(bytes), offsets)
  }

  /** What is at and behind the offset was lost with its leader. */
  truncate(partition: number, offset: number): void {
    this.#ends[partition] = offset
    this.#logs[partition] = this.#logs[partition]!.filter(({lastOffset}) => lastOffset < offset)
  }

  moveLeader(partition: number, nodeId: number | null): void {
    this.#leaders[partition] = nodeId
  }

  topic(topic: string): TopicMetadata | null {
    if (topic !== TOPIC) return null
    return {errorCode: this.topicErrorCode, leaders: new Map(this.#knownLeaders.entries())}
  }

  patiently<T>(attempt: () => Promise<T>): Promise<T> {
    return attempt()
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  async refreshMetadata(): Promise<void> {
    this.refreshes++
    await delay(1)
    this.#knownLeaders = [...this.#leaders]
  }

  async leaderOf(_topic: string, partition: number): Promise<Broker> {
    const nodeId = this.#knownLeaders[partition]
    if (nodeId === null || nodeId === undefined) throw new ProtocolFailure(errorOfCode(NOT_LEADER))
    return {nodeId, host: 'scripted', port: nodeId, rack: null}
  }

  async request(
    broker: Broker,
    api: 'Fetch' | 'ListOffsets',
    args: FetchArgs | ApiArgs<'ListOffsets'>,
    options: {decode?: (payload: Buffer, version: number) => unknown},
    signal?: AbortSignal,
  ): Promise<unknown> {
    if (api === 'ListOffsets') return this.#listOffsets(args as ApiArgs<'ListOffsets'>)
    return options.decode!(await this.#fetch(broker, args as FetchArgs, signal), FETCH_VERSION)
  }

  async #fetch(broker: Broker, args: FetchArgs, signal?: AbortSignal): Promise<Buffer> {
    const asked = args.topics.flatMap(({partitions}) => partitions)
    const call = {
      broker,
      partitions: asked.map(({partition, fetchOffset}) => ({partition, offset: Number(fetchOffset)})),
    }
    this.fetches.push(call)
    await this.beforeFetch(call)
    signal?.throwIfAborted()
    let leftBytes = args.maxBytes
    const replies = asked.map(({partition, fetchOffset, maxBytes}) => {
      const reply = this.#reply(broker, partition, Number(fetchOffset), {
        maxBytes,
        leftBytes,
        isFirst: leftBytes === args.maxBytes,
      })
      leftBytes -= reply.records.length
      this.onReply(reply, call)
      return reply
    })
    if (replies.every(({records, errorCode}) => records.length === 0 && errorCode === 0))
      await delay(2, undefined, {signal})
    return this.#encode(replies)
  }

  /** As a broker does: whole batches, the last one cut off, but the first of all of any size. */
  #reply(
    broker: Broker,
    partition: number,
    offset: number,
    {maxBytes, leftBytes, isFirst}: {maxBytes: number; leftBytes: number; isFirst: boolean},
  ): PartitionReply {
    const none = Buffer.alloc(0)
    if (this.#leaders[partition] !== broker.nodeId) return {partition, errorCode: NOT_LEADER, records: none}
    if (offset < this.logStart || offset > this.#ends[partition]!) {
      return {partition, errorCode: OFFSET_OUT_OF_RANGE, records: none}
    }
    const batches = this.#logs[partition]!.filter(({lastOffset}) => lastOffset >= offset)
    const records = Buffer.concat(batches.map(({bytes}) => bytes))
    const limit = Math.min(maxBytes, leftBytes)
    const firstBytes = batches[0]?.bytes.length ?? 0
    if (firstBytes > limit) return {partition, errorCode: 0, records: isFirst ? batches[0]!.bytes : none}
    return {partition, errorCode: 0, records: records.subarray(0, limit)}
  }

  #encode(replies: readonly PartitionReply[]): Buffer {
    return new BytesWriter()
      .int32(0)
      .int16(0)
      .int32(0)
      .int32(1)
      .string(TOPIC)
      .array(replies, (writer, {partition, errorCode, records}) =>
        writer
          .int32(partition)
          .int16(errorCode)
          .int64(this.#ends[partition]! - this.endSeenTooEarly)
          .int64(this.#ends[partition]! - this.endSeenTooEarly)
          .int64(this.logStart)
          .int32(0)
          .int32(-1)
          .bytes(records),
      )
      .finish()
  }

  #listOffsets({topics}: ApiArgs<'ListOffsets'>): unknown {
    const responses = topics.map(({topic, partitions}) => ({
      topic,
      partitions: partitions.map(({partition, timestamp}) => ({
        partition,
        errorCode: 0,
        offset: String(timestamp === -2 ? this.logStart : this.#ends[partition]),
      })),
    }))
    return {responses}
  }

  #store(partition: number, bytes: Buffer, offsets: number): void {
    const baseOffset = this.#ends[partition]!
    bytes.writeBigInt64BE(BigInt(baseOffset), 0)
    this.#ends[partition] = baseOffset + offsets
    this.#logs[partition]!.push({baseOffset, lastOffset: baseOffset + offsets - 1, bytes})
  }
}

function resealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}
