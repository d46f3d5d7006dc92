import {describe, expect, it} from 'vitest'
import {crc32cByTables} from '../../../../../src/adapters/system/crc32c.js'
import {encodeRecordBatch} from '../../../../../src/adapters/kafka/record-batch/encode.js'
import {readBatchHeader} from '../../../../../src/adapters/kafka/record-batch/header.js'
import {plainRecord} from '../../../../support/record-batches.js'

const encode = (...args: Parameters<typeof encodeRecordBatch>) => {
  const {buffers, byteLength} = encodeRecordBatch(...args)
  return {buffers, byteLength, bytes: Buffer.concat(buffers)}
}

describe('encodeRecordBatch', () => {
  it('writes the bytes that the protocol describes', () => {
    const record = {
      key: Buffer.from('k'),
      value: [Buffer.from('v1'), Buffer.from('v2')],
      headers: [{key: 'h', value: null}],
      timestampMs: 1000,
    }
    const {bytes} = encode([record], {nowMs: 1})
    const body = [
      ...[28, 0, 0, 0], // length 14, attributes, time delta, offset delta
      ...[2, 0x6b, 8, 0x76, 0x31, 0x76, 0x32], // key, value
      ...[2, 2, 0x68, 1], // one header: its key, null
    ]
    expect([...bytes.subarray(61)]).toEqual(body)
    expect(readBatchHeader(bytes, 0)).toEqual({
      baseOffset: 0,
      byteLength: 61 + body.length,
      crc: crc32cByTables(bytes.subarray(21)),
      codec: 0,
      isLogAppendTime: false,
      isTransactional: false,
      isControl: false,
      lastOffset: 0,
      baseTimestampMs: 1000,
      maxTimestampMs: 1000,
      producerId: -1n,
      recordCount: 1,
    })
  })

  it('says how long it is', () => {
    for (const count of [1, 2, 63, 64, 65, 8191, 8193]) {
      const {byteLength, bytes} = encode(
        Array.from({length: count}, () => plainRecord('value')),
        {nowMs: 1},
      )
      expect(byteLength).toBe(bytes.length)
      expect(bytes.readInt32BE(8)).toBe(bytes.length - 12)
    }
  })

  it('passes large parts of values on as they are', () => {
    const data = Buffer.alloc(512 * 1024, 'd')
    const {buffers} = encode([{key: null, value: [Buffer.from('prefix'), data], headers: []}], {nowMs: 1})
    expect(buffers).toContain(data)
    expect(buffers).toHaveLength(3)
  })

  it('puts a thousand small records into one buffer', () => {
    const {buffers} = encode(
      Array.from({length: 1000}, () => plainRecord('small')),
      {nowMs: 1},
    )
    expect(buffers).toHaveLength(1)
  })

  it('tells a tombstone from an empty value', () => {
    const last = (value: Buffer[] | null) => [
      ...encode([{key: null, value, headers: []}], {nowMs: 1}).bytes.subarray(-3),
    ]
    expect(last(null)).toEqual([1, 1, 0])
    expect(last([])).toEqual([1, 0, 0])
  })

  it('takes the time of sending where a record has none', () => {
    const header = readBatchHeader(
      encode([plainRecord('a'), {...plainRecord('b'), timestampMs: 7}], {nowMs: 50}).bytes,
      0,
    )
    expect(header).toMatchObject({baseTimestampMs: 50, maxTimestampMs: 50})
  })

  it('refuses to write a batch of nothing', () => {
    expect(() => encodeRecordBatch([], {nowMs: 1})).toThrow(RangeError)
  })
})
