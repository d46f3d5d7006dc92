import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {BytesWriter, MalformedBytes} from '../../../../../src/adapters/kafka/bytes.js'
import {decodeFetchAnswer} from '../../../../../src/adapters/kafka/fetch/fetch-answer.js'

/** Written field by field, as the protocol page lists them. */
function answer(version: number): Buffer {
  const writer = new BytesWriter().int32(0)
  if (version >= 7) writer.int16(0).int32(0)
  return writer
    .array([['files', [0, 3]] as const, ['other', [1]] as const], (w, [topic, partitions]) =>
      w.string(topic).array(partitions, (w2, partition) => {
        w2.int32(partition)
          .int16(partition === 3 ? 6 : 0)
          .int64(100)
          .int64(90)
        if (version >= 5) w2.int64(10)
        w2.array(partition === 0 ? [7, 8] : [], (w3, producer) => w3.int64(producer).int64(producer * 2))
        if (version >= 11) w2.int32(-1)
        w2.bytes(Buffer.from(`records of ${partition}`))
      }),
    )
    .finish()
}

describe('decodeFetchAnswer', () => {
  it.each([4, 5, 6, 7, 8, 9, 10, 11])('reads version %i', (version) => {
    const {errorCode, partitions} = decodeFetchAnswer(answer(version), version)
    expect(errorCode).toBe(0)
    expect(partitions.map((p) => ({...p, records: p.records.toString()}))).toEqual([
      {
        topic: 'files',
        partition: 0,
        errorCode: 0,
        highWatermark: 100,
        lastStableOffset: 90,
        abortedTransactions: [
          {producerId: 7n, firstOffset: 14},
          {producerId: 8n, firstOffset: 16},
        ],
        records: 'records of 0',
      },
      {
        topic: 'files',
        partition: 3,
        errorCode: 6,
        highWatermark: 100,
        lastStableOffset: 90,
        abortedTransactions: [],
        records: 'records of 3',
      },
      {
        topic: 'other',
        partition: 1,
        errorCode: 0,
        highWatermark: 100,
        lastStableOffset: 90,
        abortedTransactions: [],
        records: 'records of 1',
      },
    ])
  })

  it('takes null for no aborted transactions and for no records', () => {
    const payload = new BytesWriter()
      .int32(0)
      .int16(0)
      .int32(0)
      .array([0], (w) =>
        w
          .string('files')
          .array([0], (w2) => w2.int32(0).int16(0).int64(5).int64(-1).int64(0).int32(-1).int32(-1).int32(-1)),
      )
      .finish()
    expect(decodeFetchAnswer(payload, 11).partitions).toMatchObject([
      {abortedTransactions: [], records: Buffer.alloc(0), lastStableOffset: -1},
    ])
  })

  it('passes the record set on without copying it', () => {
    const payload = answer(11)
    const [first] = decodeFetchAnswer(payload, 11).partitions
    expect(first!.records.buffer).toBe(payload.buffer)
  })

  it('tells the error of the whole answer', () => {
    expect(
      decodeFetchAnswer(new BytesWriter().int32(0).int16(71).int32(0).int32(0).finish(), 11).errorCode,
    ).toBe(71)
  })

  it('refuses an answer that is cut short anywhere, and nonsense', () => {
    const whole = answer(11)
    for (let end = 0; end < whole.length; end++) {
      expect(() => decodeFetchAnswer(whole.subarray(0, end), 11)).toThrow(MalformedBytes)
    }
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 120}), fc.integer({min: 4, max: 11}), (bytes, version) => {
        try {
          decodeFetchAnswer(Buffer.from(bytes), version)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytes)
        }
      }),
    )
  })
})
