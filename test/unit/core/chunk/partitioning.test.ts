import {describe, expect, it} from 'vitest'
import {partitionForPath, recordBytesUpperBound, splitPlan} from '../../../../src/core/chunk/index.js'
import {murmur2} from '../../../../src/core/chunk/partitioning.js'

describe('murmur2', () => {
  // The vectors that Kafka's own UtilsTest checks.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %s is what Kafka computes', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash)
  })

  it('keeps a path in one partition, and spreads paths over all', () => {
    const partitions = new Set(Array.from({length: 200}, (_, i) => partitionForPath(`run/file_${i}.csv`, 4)))
    expect(partitions).toEqual(new Set([0, 1, 2, 3]))
    expect(partitionForPath('ü/µ.csv', 7)).toBe(partitionForPath('ü/µ.csv', 7))
  })
})

describe('splitPlan', () => {
  it.each([
    [0, 1, [0]],
    [1, 1, [1]],
    [1024, 1, [1024]],
    [1025, 2, [1024, 1]],
    [2048, 2, [1024, 1024]],
  ])('%d bytes in chunks of 1024', (sizeBytes, count, lengths) => {
    const plan = splitPlan(sizeBytes, 1024)
    expect(plan.count).toBe(count)
    expect(lengths.map((_, i) => plan.chunk(i + 1))).toEqual(
      lengths.map((byteLength, i) => ({offsetBytes: i * 1024, byteLength})),
    )
  })
})

it('a record is never larger than its upper bound says', () => {
  const record = {
    key: Buffer.from('k'),
    value: [Buffer.alloc(10), Buffer.alloc(5)],
    headers: [{key: 'ü', value: null}],
  }
  expect(recordBytesUpperBound(record)).toBeGreaterThan(1 + 15 + 2)
  expect(recordBytesUpperBound({key: null, value: null, headers: []})).toBeGreaterThan(0)
})
