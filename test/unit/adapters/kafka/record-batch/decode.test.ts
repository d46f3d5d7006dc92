import {describe, expect, it} from 'vitest'
import {MAX_INFLATED_BYTES, decodeRecordSet} from '../../../../../src/adapters/kafka/record-batch/decode.js'
import type {RecordSet} from '../../../../../src/adapters/kafka/record-batch/types.js'
import {batchOf, markerOf, plainRecord, resealed} from '../../../../support/record-batches.js'

const decode = (batches: readonly Buffer[], more: Partial<RecordSet> = {}) =>
  decodeRecordSet({
    topic: 'orders',
    partition: 7,
    bytes: Buffer.concat(batches),
    fromOffset: 0,
    abortedTransactions: [],
    ...more,
  })

const values = async (decoding: ReturnType<typeof decode>) =>
  (await decoding).records.map(({offset, value}) => `${offset} ${String(value)}`)

const corrupt = (message: string, offset = 0): unknown =>
  expect.objectContaining({
    code: 'BATCH_CORRUPT',
    facts: {topic: 'orders', partition: 7, offset},
    message: expect.stringMatching(
      new RegExp(`^orders, partition 7, offset ${offset}: the record batch cannot be read: .*${message}`),
    ) as unknown,
  })

describe('positions', () => {
  it('answers nothing of nothing', async () => {
    expect(await decode([], {fromOffset: 5})).toEqual({records: [], nextOffset: 5, batchCount: 0})
  })

  it('begins inside a batch at the offset that was asked for', async () => {
    const batch = batchOf(['a', 'b', 'c'].map(plainRecord), {baseOffset: 10})
    expect(await values(decode([batch], {fromOffset: 12}))).toEqual(['12 c'])
  })

  it('passes over a batch that lies before it, without looking inside', async () => {
    const before = batchOf([plainRecord('x')], {baseOffset: 10, codec: 7})
    const batch = batchOf([plainRecord('y')], {baseOffset: 11})
    expect(await values(decode([before, batch], {fromOffset: 11}))).toEqual(['11 y'])
  })

  it('moves over a batch that compaction has emptied', async () => {
    const empty = batchOf([plainRecord('gone')], {
      baseOffset: 3,
      lastOffsetDelta: 4,
      body: Buffer.alloc(0),
      recordCount: 0,
    })
    expect(await decode([empty], {fromOffset: 3})).toEqual({records: [], nextOffset: 8, batchCount: 1})
  })

  it('moves to behind the last offset of a batch whose last records are gone', async () => {
    const batch = batchOf([plainRecord('a')], {baseOffset: 3, lastOffsetDelta: 9})
    expect((await decode([batch])).nextOffset).toBe(13)
  })

  it('leaves a batch that was cut off for the next time', async () => {
    const whole = batchOf([plainRecord('a')])
    const cut = batchOf([plainRecord('b')], {baseOffset: 1})
    for (let bytes = 0; bytes < cut.length; bytes++) {
      const decoded = await decode([whole, cut.subarray(0, bytes)])
      expect([decoded.nextOffset, decoded.batchCount]).toEqual([1, 1])
    }
  })

  it('answers what came before a bad batch, and tells of it the next time', async () => {
    const good = batchOf([plainRecord('good')])
    const bad = batchOf([plainRecord('bad')], {baseOffset: 1})
    bad[30] = 1
    expect(await values(decode([good, bad]))).toEqual(['0 good'])
    await expect(decode([bad], {fromOffset: 1})).rejects.toEqual(corrupt('its CRC is', 1))
  })
})

describe('what a record has', () => {
  it('keeps headers in order, repeated, null, empty and unfriendly', async () => {
    const headers = [
      {key: 'b', value: Buffer.from('1')},
      {key: '__proto__', value: null},
      {key: 'b', value: Buffer.alloc(0)},
      {key: '', value: Buffer.from([0xff])},
    ]
    const {records} = await decode([batchOf([{...plainRecord('x'), headers}])])
    expect(records[0]?.headers).toEqual(headers)
  })

  it('has the time of its producer, also one before the first of the batch', async () => {
    const times = [2_000_000_000_000, 1, 0, 4_000_000_000_000]
    const {records} = await decode([
      batchOf(times.map((timestampMs) => ({...plainRecord('x'), timestampMs}))),
    ])
    expect(records.map(({timestampMs}) => timestampMs)).toEqual(times)
  })

  it('has the time of the log when the topic wants that', async () => {
    const batch = batchOf([{...plainRecord('x'), timestampMs: 5}], {
      isLogAppendTime: true,
      maxTimestampMs: 99,
    })
    expect((await decode([batch])).records[0]?.timestampMs).toBe(99)
  })

  it('has key and value as views, without a copy', async () => {
    const bytes = batchOf([plainRecord('a value')])
    const {records} = await decode([], {bytes})
    expect(records[0]?.value?.buffer).toBe(bytes.buffer)
  })
})

describe('transactions', () => {
  const inTransaction = (value: string, producerId: bigint, baseOffset: number) =>
    batchOf([plainRecord(value)], {baseOffset, producerId, isTransactional: true})

  it('hides what was aborted, until its marker, of that producer only', async () => {
    const batches = [
      inTransaction('aborted', 1n, 0),
      inTransaction('of another', 2n, 1),
      batchOf([plainRecord('outside')], {baseOffset: 2, producerId: 1n}),
      inTransaction('aborted too', 1n, 3),
      markerOf('abort', 1n, 4),
      inTransaction('committed', 1n, 5),
      markerOf('commit', 1n, 6),
    ]
    const decoding = decode(batches, {abortedTransactions: [{producerId: 1n, firstOffset: 0}]})
    expect(await values(decoding)).toEqual(['1 of another', '2 outside', '5 committed'])
    expect((await decoding).nextOffset).toBe(7)
  })

  it('hides each of several by the same producer, in whatever order they are listed', async () => {
    const batches = [
      inTransaction('first', 1n, 0),
      markerOf('abort', 1n, 1),
      inTransaction('good', 1n, 2),
      markerOf('commit', 1n, 3),
      inTransaction('second', 1n, 4),
      markerOf('abort', 1n, 5),
    ]
    const abortedTransactions = [
      {producerId: 1n, firstOffset: 4},
      {producerId: 1n, firstOffset: 0},
    ]
    expect(await values(decode(batches, {abortedTransactions}))).toEqual(['2 good'])
  })

  it('knows a transaction that began before what was fetched', async () => {
    const decoding = decode([inTransaction('tail', 1n, 10)], {
      fromOffset: 10,
      abortedTransactions: [{producerId: 1n, firstOffset: 3}],
    })
    expect(await decoding).toEqual({records: [], nextOffset: 11, batchCount: 1})
  })

  it('does not look into hidden batches', async () => {
    const unreadable = batchOf([plainRecord('x')], {producerId: 1n, isTransactional: true, codec: 7})
    const decoding = decode([unreadable], {abortedTransactions: [{producerId: 1n, firstOffset: 0}]})
    expect((await decoding).nextOffset).toBe(1)
  })
})

describe('what nobody should send', () => {
  it.each([
    ['a format of long ago', {magic: 1}, 'it is of format 1'],
    ['a negative offset', {baseOffset: -5}, 'its offset is -5', -5],
    [
      'an offset beyond what is safe',
      {baseOffset: Number.MAX_SAFE_INTEGER},
      'its offset is',
      Number.MAX_SAFE_INTEGER,
    ],
    ['a negative count', {recordCount: -1}, 'it claims -1 records'],
    ['a count beyond its bytes', {recordCount: 2 ** 31 - 1}, 'it claims 2147483647 records in'],
    ['fewer records than it has', {recordCount: 1}, 'bytes follow its last record'],
    ['more records than it has', {recordCount: 3}, 'a record ends in the middle of a field'],
    ['a negative last offset', {lastOffsetDelta: -1}, 'its last offset delta is -1'],
    ['records beyond its last offset', {lastOffsetDelta: 0}, 'record 1 has offset 1 after 0'],
  ] as const)('refuses %s', async (_, details, message, offset = 0) => {
    const batch = batchOf(['first', 'second'].map(plainRecord), details)
    await expect(decode([batch])).rejects.toEqual(corrupt(message, offset))
  })

  it('refuses lengths that lie', async () => {
    const batch = batchOf([plainRecord('x')])
    const lengthened = (length: number) => {
      const changed = Buffer.from(batch)
      changed.writeInt32BE(length, 8)
      return changed
    }
    await expect(decode([lengthened(-13)])).rejects.toEqual(corrupt('its length is negative'))
    await expect(decode([lengthened(2)])).rejects.toEqual(corrupt('it has only 14 bytes'))
    await expect(decode([lengthened(40)])).rejects.toEqual(corrupt('it has only 52 bytes'))
    expect((await decode([lengthened(2 ** 31 - 1)])).batchCount).toBe(0)
  })

  // A record of one byte: length, attributes, time delta, offset delta, key, value, headers.
  it.each([
    ['a record longer than the batch', [100, 0, 0, 0, 1, 1, 0], 'a record claims 50 bytes where 6 are left'],
    ['a negative record', [1, 0, 0, 0, 1, 1, 0], 'a record claims -1 bytes'],
    ['a key longer than the record', [12, 0, 0, 0, 40, 1, 0], 'a field claims 20 bytes where 2 are left'],
    ['a key of length -2', [12, 0, 0, 0, 3, 1, 0], 'a field claims -2 bytes'],
    ['a header without a key', [16, 0, 0, 0, 1, 1, 2, 1, 1], 'a header without a key'],
    ['a negative count of headers', [12, 0, 0, 0, 1, 1, 1], 'claims -1 headers'],
    ['more headers than bytes', [16, 0, 0, 0, 1, 1, 126, 0, 0], 'claims 63 headers in 2 bytes'],
    ['bytes behind the headers', [16, 0, 0, 0, 1, 1, 0, 9, 9], 'has 2 bytes too many'],
    ['a record that ends early', [6, 0, 0, 0, 1, 1, 0], 'ends in the middle of a field'],
    [
      'a number without an end',
      [28, 0, 0, 128, 128, 128, 128, 128, 1, 1, 1, 1, 0, 0, 0],
      'more than 32 bits',
    ],
    ['a time without an end', [28, 0, ...Array<number>(13).fill(255)], 'more than 64 bits'],
  ])('refuses %s', async (_, bytes, message) => {
    const batch = batchOf([plainRecord('x')], {body: Buffer.from(bytes)})
    await expect(decode([batch])).rejects.toEqual(corrupt(message))
  })

  it('refuses offsets that do not rise', async () => {
    const batch = batchOf(['a', 'b', 'c'].map(plainRecord))
    // The second record's offset delta, behind its length, attributes and time delta.
    batch[61 + 8 + 3] = 0
    await expect(decode([resealed(batch)])).rejects.toEqual(corrupt('record 1 has offset 0 after 0'))
  })

  it('names a codec that nobody has heard of', async () => {
    const batch = batchOf([plainRecord('x')], {baseOffset: 41, codec: 5})
    await expect(decode([batch], {fromOffset: 41})).rejects.toMatchObject({
      code: 'CODEC_UNKNOWN',
      message: 'orders, partition 7, offset 41: the record batch is compressed with codec 5',
      facts: {topic: 'orders', partition: 7, offset: 41},
    })
  })

  it('refuses a control batch whose marker has no type', async () => {
    const batch = batchOf([plainRecord('not a marker')], {isControl: true})
    await expect(decode([batch])).rejects.toEqual(corrupt('its control record has no type'))
  })
})

it('reads 150,000 records of one batch', async () => {
  const {records, nextOffset} = await decode([batchOf(Array.from({length: 150_000}, () => plainRecord('z')))])
  expect([records.length, nextOffset, records.at(-1)?.offset]).toEqual([150_000, 150_000, 149_999])
})

it('has a limit for what a batch may inflate to', () => {
  expect(MAX_INFLATED_BYTES).toBe(128 * 1024 * 1024)
})
