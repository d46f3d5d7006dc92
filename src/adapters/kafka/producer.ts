/**
 * Sends record batches. One partition a request, because a request that spans several loses some of them silently
 * when leaders move; a batch counts as sent only when the answer names its partition, with error 0 and a base
 * offset. On anything else it is sent again, so it may come to be on the topic more than once.
 */
import type {Buffer} from 'node:buffer'
import {StreamtoolError} from '../../core/errors.js'
import type {Clock, ProduceBatch, RecordProducer} from '../../core/ports/index.js'
import {BytesWriter} from './bytes.js'
import {translateFailure} from './errors.js'
import {compressBatch} from './record-batch/compress-batch.js'
import {canWrite, type Codec} from './record-batch/compression/index.js'
import {encodeRecordBatch} from './record-batch/encode.js'
import type {EncodedBatch} from './record-batch/encode.js'
import type {Cluster} from './transport/cluster.js'
import {ProtocolFailure, TransportFailure, isProtocolFailure} from './transport/failures.js'
import {errorOfCode} from './transport/kafkajs-internals.js'
import {systemClock} from '../system/clock.js'
import type {ProduceAnswer} from './transport/protocol.js'

/** How long a topic may be unknown before it is believed: one that was just created may take a moment. */
const UNKNOWN_TOPIC_MS = 10_000
/** How long the leader may wait for its followers. */
const REPLICATION_MS = 30_000
/** On top of it, before the connection counts as lost. */
const NETWORK_MS = 5_000
const UNSUPPORTED_VERSION = 35
/** MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE */
const TOO_LARGE = [10, 18]

export interface ProducerOptions {
  /** Of every batch that gets smaller by it; null: of none. */
  readonly compression?: Codec | null
}

/** @throws SETTING_INVALID for a codec that this Node cannot write */
export function createProducer(
  cluster: Cluster,
  {clock = systemClock, compression = null}: ProducerOptions & {clock?: Clock} = {},
): RecordProducer {
  if (compression !== null && !canWrite(compression)) throw unwritable(compression)
  async function encode({records}: ProduceBatch): Promise<EncodedBatch> {
    const plain = encodeRecordBatch(records, {nowMs: clock.nowMs()})
    return compression === null ? plain : compressBatch(plain, compression)
  }

  async function sendOnce(batch: ProduceBatch, encoded: EncodedBatch, signal?: AbortSignal) {
    const leader = await cluster.leaderOf(batch.topic, batch.partition, signal)
    const answer = await cluster.request(
      leader,
      'Produce',
      {acks: -1, timeout: REPLICATION_MS, topicData: []},
      {encode: (version) => encodeRequest(batch, encoded, version), timeoutMs: REPLICATION_MS + NETWORK_MS},
      signal,
    )
    return {baseOffset: acknowledgedOffset(answer, batch, encoded.byteLength)}
  }

  return {
    async send(batch, signal) {
      const encoded = await encode(batch)
      let metadataIsStale = false
      try {
        return await cluster.patiently(
          async () => {
            try {
              if (metadataIsStale) await cluster.refreshMetadata([batch.topic], signal)
              return await sendOnce(batch, encoded, signal)
            } catch (error) {
              metadataIsStale = true
              throw error
            }
          },
          {signal, limitMs: (error) => (isUnknownTopic(error) ? UNKNOWN_TOPIC_MS : undefined)},
        )
      } catch (error) {
        const {topic, partition} = batch
        throw translateFailure(error, {topic, partition, addresses: cluster.addresses})
      }
    },
    close: () => cluster.close(),
  }
}

const unwritable = (codec: Codec) =>
  new StreamtoolError(
    'SETTING_INVALID',
    `Records cannot be compressed with ${codec} here: that needs Node 22.15, and this is ${process.versions.node}.`,
    {suggestions: ['Take gzip, snappy or lz4, or a newer Node.']},
  )

const isUnknownTopic = (error: unknown): boolean => isProtocolFailure(error, 'UNKNOWN_TOPIC_OR_PARTITION')

/**
 * Produce, versions 3 to 8 (https://kafka.apache.org/protocol#The_Messages_Produce), with one batch:
 *
 *   nullable string transactional_id | int16 acks | int32 timeout_ms | array of topics: string name,
 *   array of partitions: int32 index, bytes records
 */
function encodeRequest(
  {topic, partition}: ProduceBatch,
  batch: EncodedBatch,
  version: number,
): readonly Buffer[] {
  if (version < 3) throw new ProtocolFailure(errorOfCode(UNSUPPORTED_VERSION))
  const head = new BytesWriter()
    .int16(-1) // no transaction
    .int16(-1) // acknowledged by all replicas in sync
    .int32(REPLICATION_MS)
    .int32(1)
    .string(topic)
    .int32(1)
    .int32(partition)
    .int32(batch.byteLength)
    .finish()
  return [head, ...batch.buffers]
}

/** @throws ProtocolFailure, or a retriable TransportFailure for an answer that does not speak of this partition */
function acknowledgedOffset(
  answer: ProduceAnswer,
  {topic, partition}: ProduceBatch,
  batchBytes: number,
): number {
  const acknowledgement = answer.topics
    .find(({topicName}) => topicName === topic)
    ?.partitions.find((each) => each.partition === partition)
  if (acknowledgement === undefined) {
    throw new TransportFailure('lost', topic, `the answer does not acknowledge partition ${partition}`)
  }
  const {errorCode} = acknowledgement
  if (TOO_LARGE.includes(errorCode)) {
    const detail = `the topic does not take a record batch of ${batchBytes} bytes`
    throw new ProtocolFailure(errorOfCode(errorCode), {detail})
  }
  if (errorCode !== 0) throw new ProtocolFailure(errorOfCode(errorCode))
  const baseOffset = Number(acknowledgement.baseOffset)
  if (!Number.isSafeInteger(baseOffset) || baseOffset < 0) {
    throw new TransportFailure('lost', topic, `the answer has no offset for partition ${partition}`)
  }
  return baseOffset
}
