import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {WireError, WireReader} from '../../../../../src/sandbox/broker/protocol/wire-reader.js'
import {WireWriter} from '../../../../../src/sandbox/broker/protocol/wire-writer.js'

function written(write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter()
  write(writer)
  return Buffer.concat(writer.finish())
}

describe('WireWriter and WireReader', () => {
  it('write numbers as the protocol has them, and read them back', () => {
    const bytes = written((writer) => {
      writer.int8(-2)
      writer.int16(0x0102)
      writer.int32(-1)
      writer.int64(0x1_0000_0002)
      writer.int64(-2)
    })
    expect(bytes.toString('hex')).toBe('fe' + '0102' + 'ffffffff' + '0000000100000002' + 'fffffffffffffffe')
    const reader = new WireReader(bytes)
    expect([reader.int8(), reader.int16(), reader.int32(), reader.int64(), reader.int64()]).toEqual([
      -2, 0x0102, -1, 0x1_0000_0002, -2,
    ])
  })

  it('agree on any 64-bit number that is a safe integer', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = written((writer) => writer.int64(value))
        expect(Number(bytes.readBigInt64BE())).toBe(value)
        expect(new WireReader(bytes).int64()).toBe(value)
      }),
    )
  })

  it('agree on strings and byte strings of any content and length, in any number', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.option(fc.string({unit: 'binary'})), fc.uint8Array())), (pairs) => {
        const bytes = written((writer) =>
          writer.array(pairs, ([text, blob]) => {
            writer.string(text)
            writer.bytes(Buffer.from(blob))
          }),
        )
        const reader = new WireReader(bytes)
        const readBack = reader.array(() => [reader.nullableString(), new Uint8Array(reader.bytes())])
        expect(readBack).toEqual(pairs)
      }),
    )
  })

  it('keep a referenced buffer as it is, in its place', () => {
    const records = Buffer.from('records')
    const writer = new WireWriter()
    writer.int8(1)
    writer.bytesByReference(records)
    writer.int8(2)
    const parts = writer.finish()
    expect(parts[1]).toBe(records)
    expect(Buffer.concat(parts).toString('hex')).toBe(`0100000007${records.toString('hex')}02`)
  })
})

describe('WireReader on hostile bytes', () => {
  const int32 = (value: number) => written((writer) => writer.int32(value))
  const int16 = (value: number) => written((writer) => writer.int16(value))

  it.each<[string, Buffer, (reader: WireReader) => unknown]>([
    ['a number past the end', Buffer.alloc(7), (reader) => reader.int64()],
    ['a string longer than the request', int16(100), (reader) => reader.string()],
    ['a string of negative length', int16(-2), (reader) => reader.nullableString()],
    ['null for a string that may not be null', int16(-1), (reader) => reader.string()],
    ['bytes longer than the request', int32(2 ** 31 - 1), (reader) => reader.bytes()],
    ['bytes of negative length', int32(-9), (reader) => reader.nullableBytes()],
    ['null for an array that may not be null', int32(-1), (reader) => reader.array(() => 0)],
    [
      'an array with more items than bytes',
      int32(2 ** 31 - 1),
      (reader) => reader.array(() => reader.int8()),
    ],
    ['an array of negative length', int32(-5), (reader) => reader.nullableArray(() => 0)],
    ['a varint without an end', Buffer.alloc(9, 0xff), (reader) => reader.compactString()],
    ['more tagged fields than bytes', Buffer.from('ff7f', 'hex'), (reader) => reader.skipTaggedFields()],
  ])('refuses %s', (_, bytes, read) => {
    expect(() => read(new WireReader(bytes))).toThrow(WireError)
  })

  it('takes numbers that are no safe integers for the nearest that are', () => {
    const bytes = Buffer.from('7fffffffffffffff' + '8000000000000000', 'hex')
    const reader = new WireReader(bytes)
    expect([reader.int64(), reader.int64()]).toEqual([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])
  })

  it('bounds the items of all arrays of a request together', () => {
    const nested = Buffer.alloc(1_000_000)
    nested.writeInt32BE(100_000, 0)
    for (let position = 4; position + 8 <= nested.length; position += 8) nested.writeInt32BE(4, position)
    const reader = new WireReader(nested)
    expect(() => reader.array(() => reader.array(() => reader.int8()))).toThrow(/an array of 4 items/)
  })
})
