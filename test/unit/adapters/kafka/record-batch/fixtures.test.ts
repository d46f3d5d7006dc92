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

  it.each(names)('notices each flipped bit of %s, or what it does not change is the offset', async (name) => {
    const {set} = load(name)
    // Before the length and after the CRC's start every bit counts; a step keeps it quick.
    for (let position = 16; position < set.bytes.length; position += Math.ceil(set.bytes.length / 200)) {
      const bytes = Buffer.from(set.bytes)
      bytes[position] = (bytes[position] ?? 0) ^ 0x10
      const whole = await decodeRecordSet({...set, fromOffset: 0})
      const outcome = await decodeRecordSet({...set, bytes, fromOffset: 0}).then(
        (answer) => answer.nextOffset < whole.nextOffset || answer.batchCount < whole.batchCount,
        (error: unknown) => (error as {code: string}).code === 'BATCH_CORRUPT',
      )
      expect([position, outcome]).toEqual([position, outcome && true])
      if (!outcome) {
        // The first bytes of a later batch: base offset, length and leader epoch are not under its CRC.
        expect(isOutsideCrc(set.bytes, position)).toBe(true)
      }
    }
  })
})

function isOutsideCrc(bytes: Buffer, position: number): boolean {
  let start = 0
  while (start + 12 <= bytes.length) {
    const end = start + 12 + bytes.readInt32BE(start + 8)
    if (position < end) return position < start + 17
    start = end
  }
  return false
}
