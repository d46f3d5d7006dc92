/** kafkajs's own codecs: written by others, so they tell whether ours are right. */
import {createRequire} from 'node:module'

const require = createRequire(import.meta.url)

interface Encoder {
  readonly buffer: Buffer
}

interface Versions {
  protocol(version: {version: number}): (value: object) => {
    request: {apiKey: number; apiVersion: number; apiName: string; encode(): Promise<Encoder>}
    response: {decode(body: Buffer): Promise<Record<string, unknown>>}
  }
}

export const kafkajsRequests = (
  require('kafkajs/src/protocol/requests') as {requests: Record<string, Versions>}
).requests

const {RecordBatch} = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<Encoder>
}
const Record_ = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => Encoder

export interface TestBatch {
  readonly values: readonly (string | Buffer)[]
  /** Of each record. */
  readonly timestampsMs?: readonly number[]
  readonly gzip?: boolean
  readonly transactional?: boolean
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
}

/** A record batch as a producer sends it. */
export async function makeBatch(batch: TestBatch): Promise<Buffer> {
  const {values, gzip = false} = batch
  const timestampsMs: readonly number[] = batch.timestampsMs ?? values.map(() => 1_700_000_000_000)
  const firstTimestamp = timestampsMs[0] ?? 0
  const encoder = await RecordBatch({
    compression: gzip ? 1 : 0,
    transactional: batch.transactional ?? false,
    firstTimestamp,
    maxTimestamp: Math.max(...timestampsMs),
    lastOffsetDelta: values.length - 1,
    producerId: batch.producerId ?? -1,
    producerEpoch: batch.producerEpoch ?? 0,
    firstSequence: batch.baseSequence ?? 0,
    records: values.map((value, offsetDelta) =>
      Record_({
        offsetDelta,
        timestampDelta: (timestampsMs[offsetDelta] ?? 0) - firstTimestamp,
        key: null,
        value: Buffer.from(value),
      }),
    ),
  })
  return encoder.buffer
}
