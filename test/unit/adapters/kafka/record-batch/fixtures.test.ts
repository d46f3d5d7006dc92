import {createHash} from 'node:crypto'
import {readFileSync, readdirSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {decodeRecordSet} from '../../../../../src/adapters/kafka/record-batch/decode.js'

const directory = new URL('../../../../fixtures/record-batches/', import.meta.url)
const names = readdirSync(directory)
  .filter((name) => name.endsWith('.bin'))
  .map((name) => name.slice(0, -'.bin'.length))

interface Expected {
  abortedTransactions: {producerId: string; firstOffset: number}[]
  endOffset: number
  records: object[]
}

function load(name: string) {
  const expected = JSON.parse(readFileSync(new URL(`${name}.json`, directory), 'utf8')) as Expected
  const abortedTransactions = expected.abortedTransactions.map(({producerId, firstOffset}) => ({
    producerId: BigInt(producerId),
    firstOffset,
  }))
  const bytes = readFileSync(new URL(`${name}.bin`, directory))
  return {expected, set: {topic: name, partition: 0, bytes, abortedTransactions}}
}

const asInFixture = (data: Buffer | null) =>
  data !== null && data.length > 300
    ? {bytes: data.length, sha256: createHash('sha256').update(data).digest('hex')}
    : (data?.toString('base64') ?? null)

async function decoded(name: string, fromOffset: number) {
  const {records, nextOffset} = await decodeRecordSet({...load(name).set, fromOffset})
  return {
    nextOffset,
    records: records.map(({offset, timestampMs, key, value, headers}) => ({
      offset,
      timestampMs,
      key: asInFixture(key),
      value: asInFixture(value),
      headers: headers.map((header) => [header.key, asInFixture(header.value)]),
    })),
  }
}

describe('record batches written by real clients', () => {
  it('are all here', () => {
    expect(names).toHaveLength(13)
  })

  it.each(names)('reads %s as librdkafka reads it', async (name) => {
    const {expected} = load(name)
    expect(await decoded(name, 0)).toEqual({nextOffset: expected.endOffset, records: expected.records})
  })

  it.each(names)('reads the second half of %s, beginning inside a batch', async (name) => {
    const {expected} = load(name)
    const from = Math.floor(expected.endOffset / 2)
    const {records} = await decoded(name, from)
    expect(records).toEqual(expected.records.filter((record) => (record as {offset: number}).offset >= from))
  })

  it.each(names)('answers nothing of a batch of %s in which a bit was flipped', async (name) => {
    const {set} = load(name)
    for (const {start, end} of batchesIn(set.bytes)) {
      const step = Math.ceil((end - start - CRC_POSITION) / 40)
      for (let position = start + CRC_POSITION; position < end; position += step) {
        const bytes = Buffer.from(set.bytes)
        bytes[position] = bytes[position]! ^ 0x10
        const baseOffset = Number(bytes.readBigInt64BE(start))
        const answer = await decodeRecordSet({...set, bytes, fromOffset: baseOffset}).catch(
          (error: unknown) => error,
        )
        expect(answer).toMatchObject({
          code: 'BATCH_CORRUPT',
          facts: {topic: name, partition: 0, offset: baseOffset},
        })
      }
    }
  })
})

const CRC_POSITION = 17

function batchesIn(bytes: Buffer): {start: number; end: number}[] {
  const batches: {start: number; end: number}[] = []
  for (let start = 0, end = 0; start < bytes.length; start = end) {
    end = start + 12 + bytes.readInt32BE(start + 8)
    batches.push({start, end})
  }
  return batches
}
