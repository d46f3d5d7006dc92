import {describe, expect, it} from 'vitest'
import {crc32c} from '../../../../../src/sandbox/broker/log/crc32c.js'
import {
  checkProducedBatch,
  isIntact,
  placeBatch,
  readBatchHeader,
  uncompressedRecords,
} from '../../../../../src/sandbox/broker/log/record-batch.js'
import {KafkaError, type KafkaErrorName} from '../../../../../src/sandbox/broker/protocol/errors.js'
import {makeBatch} from '../../../../support/sandbox/kafkajs-internals.js'

const LIMITS = {maxMessageBytes: 1000, latestTimestampMs: 5000}
const THREE = {values: ['a', 'bb', ''], timestampsMs: [1000, 3000, 2000]}

/** Changes bytes that the CRC covers, and makes it right again. */
async function forged(change: (batch: Buffer) => void): Promise<Buffer> {
  const batch = await makeBatch(THREE)
  change(batch)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

describe('a batch that kafkajs made', () => {
  it('is accepted, and its header read', async () => {
    const batch = await makeBatch({...THREE, producerId: 7, producerEpoch: 8, baseSequence: 9})
    expect(checkProducedBatch(batch, LIMITS)).toEqual({
      ...{baseOffset: 0, nextOffset: 3, byteLength: batch.length, compression: 0, recordCount: 3},
      ...{baseTimestampMs: 1000, maxTimestampMs: 3000, producerId: 7, producerEpoch: 8, baseSequence: 9},
    })
  })

  it('shows the offset and time of each of its records', async () => {
    const records = [...uncompressedRecords(await makeBatch(THREE))]
    expect(records.map(({offsetDelta, timestampDeltaMs}) => [offsetDelta, timestampDeltaMs])).toEqual([
      [0, 0],
      [1, 2000],
      [2, 1000],
    ])
  })

  it('shows records from before its first one, and centuries apart', async () => {
    const timestampsMs = [4_000_000_000_000, 0, 2 ** 45]
    const records = [...uncompressedRecords(await makeBatch({values: ['', '', ''], timestampsMs}))]
    expect(records.map(({timestampDeltaMs}) => 4_000_000_000_000 + timestampDeltaMs)).toEqual(timestampsMs)
  })

  it('keeps its CRC when it is given its place', async () => {
    const batch = await makeBatch(THREE)
    placeBatch(batch, 2 ** 40)
    expect(readBatchHeader(batch)).toMatchObject({baseOffset: 2 ** 40, nextOffset: 2 ** 40 + 3})
    expect(isIntact(batch)).toBe(true)
  })
})

describe('a batch is refused', () => {
  it.each<[string, KafkaErrorName, () => Promise<Buffer>]>([
    ['when there is none', 'INVALID_RECORD', async () => Buffer.alloc(0)],
    ['with one bit wrong', 'CORRUPT_MESSAGE', async () => flipped(await makeBatch(THREE), 65)],
    ['cut short', 'INVALID_RECORD', async () => (await makeBatch(THREE)).subarray(0, -1)],
    [
      'with another behind it',
      'INVALID_RECORD',
      async () => Buffer.concat([await makeBatch(THREE), await makeBatch(THREE)]),
    ],
    ['of an older format', 'INVALID_RECORD', async () => withMagic(await makeBatch(THREE), 1)],
    ['larger than the topic allows', 'MESSAGE_TOO_LARGE', () => makeBatch({values: [Buffer.alloc(1000)]})],
    ['from the future', 'INVALID_TIMESTAMP', () => makeBatch({values: ['a', 'b'], timestampsMs: [1, 5001]})],
    [
      'of a transaction',
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      () => makeBatch({...THREE, transactional: true}),
    ],
    ['that claims to be a marker', 'INVALID_RECORD', () => forged((batch) => batch.writeInt16BE(0x20, 21))],
    ['that counts too many records', 'INVALID_RECORD', () => forged((batch) => batch.writeInt32BE(4, 57))],
    ['that counts none', 'INVALID_RECORD', () => forged((batch) => batch.fill(0, 57, 61))],
    ['that counts more than it holds', 'INVALID_RECORD', () => forged(countingFour)],
    ['whose records skip an offset', 'INVALID_RECORD', () => forged((batch) => void (batch[64] = 2))],
    ['whose records overrun it', 'INVALID_RECORD', () => forged((batch) => void (batch[61] = 0x7e))],
    ['whose records have no length', 'INVALID_RECORD', () => forged((batch) => void (batch[61] = 0))],
  ])('%s', async (_, name, make) => {
    const batch = await make()
    expect(() => checkProducedBatch(batch, LIMITS)).toThrow(expect.objectContaining({code: KafkaError[name]}))
  })

  it('but what is inside a compressed one is not looked at', async () => {
    const batch = await makeBatch({...THREE, gzip: true})
    expect(checkProducedBatch(batch, LIMITS)).toMatchObject({compression: 1, recordCount: 3})
  })
})

function flipped(batch: Buffer, position: number): Buffer {
  batch[position]! ^= 1
  return batch
}

function withMagic(batch: Buffer, magic: number): Buffer {
  batch[16] = magic
  return batch
}

function countingFour(batch: Buffer): void {
  batch.writeInt32BE(3, 23)
  batch.writeInt32BE(4, 57)
}
