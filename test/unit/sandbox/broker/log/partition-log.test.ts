import {existsSync} from 'node:fs'
import {appendFile, readFile, stat, truncate, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import {PartitionLog} from '../../../../../src/sandbox/broker/log/partition-log.js'
import {batchByteLength, readBatchHeader} from '../../../../../src/sandbox/broker/log/record-batch.js'
import {KafkaError} from '../../../../../src/sandbox/broker/protocol/errors.js'
import {makeBatch, type TestBatch} from '../../../../support/sandbox/kafkajs-internals.js'
import {rememberingLogger, temporaryDirectory} from '../../../../support/sandbox/temporary.js'

const LIMITS = {maxMessageBytes: 1_000_000, latestTimestampMs: Number.POSITIVE_INFINITY}
const refusal = (name: keyof typeof KafkaError) =>
  expect.objectContaining({code: KafkaError[name]}) as unknown

interface OpenLog {
  readonly log: PartitionLog
  readonly path: string
  readonly logged: string[]
  readonly append: (batch: TestBatch) => Promise<number>
}

async function openLog(given: {path?: string; startOffset?: number} = {}): Promise<OpenLog> {
  const path = given.path ?? join(await temporaryDirectory(), '0.log')
  const {logger, lines} = rememberingLogger()
  const log = new PartitionLog(path, {startOffset: given.startOffset ?? 0, logger})
  onTestFinished(() => log.close())
  return {log, path, logged: lines, append: async (batch) => log.append(await makeBatch(batch), LIMITS)}
}

/** Base offsets of the whole batches in an answer. */
function baseOffsets(records: Buffer): number[] {
  const found: number[] = []
  for (let position = 0; position + 61 <= records.length; position += batchByteLength(records, position)) {
    if (position + batchByteLength(records, position) > records.length) break
    found.push(readBatchHeader(records, position).baseOffset)
  }
  return found
}

describe('reading', () => {
  it('gives the batches as they were sent, but for their offset', async () => {
    const {log, append} = await openLog()
    await append({values: ['a', 'b']})
    expect(await append({values: ['c'], gzip: true})).toBe(2)
    const sent = await makeBatch({values: ['c'], gzip: true})
    const read = log.read(2, 1000, true)
    expect(read.subarray(8)).toEqual(sent.subarray(8))
    expect(read.readBigInt64BE()).toBe(2n)
    expect(log.endOffset).toBe(3)
  })

  it('begins with the batch that holds the offset', async () => {
    const {log, append} = await openLog()
    for (let batch = 0; batch < 3; batch++) await append({values: ['a', 'b', 'c']})
    expect(baseOffsets(log.read(0, 1000, true))).toEqual([0, 3, 6])
    expect(baseOffsets(log.read(5, 1000, true))).toEqual([3, 6])
    expect(baseOffsets(log.read(6, 1000, true))).toEqual([6])
    expect(log.read(9, 1000, true)).toHaveLength(0)
  })

  it('finds every offset among thousands of batches of all sizes', async () => {
    const {log, append} = await openLog()
    const expected: number[] = []
    for (let batch = 0; batch < 400; batch++) {
      const values = Array.from({length: 1 + (batch % 3)}, () => Buffer.alloc((batch * 131) % 3000))
      const baseOffset = await append({values})
      expected.push(...values.map(() => baseOffset))
    }
    for (const [offset, baseOffset] of expected.entries()) {
      expect(baseOffsets(log.read(offset, 0, true))).toEqual([baseOffset])
    }
  })

  it('cuts at the limit, in the middle of a batch if need be, but sends a first batch whole or not at all', async () => {
    const {log, append} = await openLog()
    await append({values: ['a']})
    await append({values: ['b']})
    const {length} = log.read(0, 1, true)
    expect(log.read(0, length + 10, false)).toHaveLength(length + 10)
    expect(log.read(0, length - 1, true)).toHaveLength(length)
    expect(log.read(0, length - 1, false)).toHaveLength(0)
    expect(log.readableBytes(0)).toBe(2 * length)
    expect(log.readableBytes(2)).toBe(0)
  })

  it.each([-1, 3, 2 ** 50])('refuses offset %d of a log from 1 to 2', async (offset) => {
    const {log, append} = await openLog()
    await append({values: ['a', 'b']})
    log.deleteBefore(1)
    expect(() => log.read(offset, 1000, true)).toThrow(refusal('OFFSET_OUT_OF_RANGE'))
    expect(() => log.readableBytes(0)).toThrow(refusal('OFFSET_OUT_OF_RANGE'))
  })

  it('tells those who wait for an append until they have heard enough', async () => {
    const {log, append} = await openLog()
    let heard = 0
    const stop = log.onAppend(() => heard++)
    await append({values: ['a']})
    await append({values: ['b']})
    stop()
    await append({values: ['c']})
    expect(heard).toBe(2)
  })
})

describe.runIf(existsSync('/dev/full'))('a full disk', () => {
  it('refuses what is appended, and leaves the log as it was', async () => {
    const {log, append} = await openLog({path: '/dev/full'})
    for (let attempts = 0; attempts < 2; attempts++) {
      await expect(append({values: ['x']})).rejects.toThrow('ENOSPC')
      expect(log.endOffset).toBe(0)
    }
    // A device cannot be synced; the file is closed all the same.
    expect(() => log.close()).toThrow('EINVAL')
  })
})

describe('a time', () => {
  it('is found to the record, wherever it stands', async () => {
    const {log, append} = await openLog()
    await append({values: ['a', 'b', 'c'], timestampsMs: [1000, 3000, 2000]})
    for (let batch = 0; batch < 40; batch++)
      await append({values: [Buffer.alloc(1000)], timestampsMs: [1500]})
    await append({values: ['d', 'e'], timestampsMs: [4000, 5000]})
    expect(log.offsetSince(0)).toEqual({offset: 0, timestampMs: 1000})
    expect(log.offsetSince(1001)).toEqual({offset: 1, timestampMs: 3000})
    expect(log.offsetSince(4001)).toEqual({offset: 44, timestampMs: 5000})
    expect(log.offsetSince(5001)).toBeNull()
  })

  it('is found to the batch where that is compressed', async () => {
    const {log, append} = await openLog()
    await append({values: ['a', 'b'], timestampsMs: [1000, 2000], gzip: true})
    expect(log.offsetSince(1500)).toEqual({offset: 0, timestampMs: 1000})
  })

  it('is not found among deleted records', async () => {
    const {log, append} = await openLog()
    await append({values: ['a', 'b'], timestampsMs: [1000, 2000]})
    await append({values: ['c'], timestampsMs: [1000]})
    log.deleteBefore(1)
    expect(log.offsetSince(500)).toEqual({offset: 1, timestampMs: 2000})
    log.deleteBefore(2)
    expect(log.offsetSince(500)).toEqual({offset: 2, timestampMs: 1000})
  })
})

describe('an idempotent producer', () => {
  const numbered = (baseSequence: number, more: Partial<TestBatch> = {}) => ({
    ...{values: ['x', 'y'], producerId: 5, producerEpoch: 1, baseSequence},
    ...more,
  })

  it('is told the first offset when it sends a batch again, as long as it may be in flight', async () => {
    const {log, append} = await openLog()
    for (const sequence of [0, 2, 4, 6, 8]) await append(numbered(sequence))
    for (const sequence of [0, 2, 4, 6, 8]) expect(await append(numbered(sequence))).toBe(sequence)
    await append(numbered(10))
    await expect(append(numbered(0))).rejects.toEqual(refusal('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    expect(log.endOffset).toBe(12)
  })

  it('may not leave one out, come back with an older epoch, or begin an epoch in the middle', async () => {
    const {log, append} = await openLog()
    await append(numbered(0))
    await expect(append(numbered(4))).rejects.toEqual(refusal('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    await expect(append(numbered(2, {producerEpoch: 0}))).rejects.toEqual(refusal('INVALID_PRODUCER_EPOCH'))
    await expect(append(numbered(2, {producerEpoch: 2}))).rejects.toEqual(
      refusal('OUT_OF_ORDER_SEQUENCE_NUMBER'),
    )
    expect(await append(numbered(0, {producerEpoch: 2}))).toBe(2)
    expect(log.endOffset).toBe(4)
  })

  it('is known again after a restart', async () => {
    const {log, path, append} = await openLog()
    await append(numbered(0))
    await append(numbered(2))
    log.close()
    const reopened = await openLog({path})
    expect(await reopened.append(numbered(2))).toBe(2)
    await expect(reopened.append(numbered(6))).rejects.toEqual(refusal('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    expect(await reopened.append(numbered(4))).toBe(4)
  })

  it('goes on with 0 after the last of all sequence numbers', async () => {
    const {append} = await openLog()
    await append(numbered(2 ** 31 - 2))
    expect(await append(numbered(0))).toBe(2)
    expect(await append(numbered(0))).toBe(2)
  })

  it('is unknown to other producers', async () => {
    const {append} = await openLog()
    await append(numbered(0))
    expect(await append(numbered(0, {producerId: 6}))).toBe(2)
    expect(await append({values: ['plain']})).toBe(4)
    expect(await append({values: ['plain']})).toBe(5)
  })
})

describe('opening', () => {
  async function closedLog(): Promise<{path: string; bytes: Buffer; lastBatchAt: number}> {
    const {log, path, append} = await openLog()
    await append({values: ['a', 'b']})
    const {size: lastBatchAt} = await stat(path)
    await append({values: ['c', 'd', 'e']})
    log.close()
    return {path, bytes: await readFile(path), lastBatchAt}
  }

  it('cuts off a last batch that was not written whole, wherever it was cut', async () => {
    const {path, bytes, lastBatchAt} = await closedLog()
    for (let length = lastBatchAt + 1; length < bytes.length; length++) {
      await writeFile(path, bytes)
      await truncate(path, length)
      const {log, logged, append} = await openLog({path})
      expect(log.endOffset).toBe(2)
      expect(logged).toEqual([expect.stringContaining(`cut ${length - lastBatchAt} bytes`)])
      expect((await stat(path)).size).toBe(lastBatchAt)
      expect(await append({values: ['again']})).toBe(2)
      log.close()
    }
  })

  it('cuts off what is not a record batch, or not the next one', async () => {
    const {path, bytes} = await closedLog()
    const flipped = Buffer.from(bytes)
    flipped[bytes.length - 1]! ^= 1
    for (const [tail, endOffset] of [
      [Buffer.alloc(100), 5],
      [Buffer.alloc(100, 0xff), 5],
      [bytes, 5],
    ] as const) {
      await writeFile(path, Buffer.concat([bytes, tail]))
      const {log} = await openLog({path})
      expect(log.endOffset).toBe(endOffset)
      expect((await stat(path)).size).toBe(bytes.length)
      log.close()
    }
    await writeFile(path, flipped)
    expect((await openLog({path})).log.endOffset).toBe(2)
  })

  it('changes nothing where nothing is wrong', async () => {
    const {path, bytes} = await closedLog()
    const {log, logged} = await openLog({path, startOffset: 1})
    expect([log.startOffset, log.endOffset]).toEqual([1, 5])
    expect(logged).toEqual([])
    log.close()
    expect(await readFile(path)).toEqual(bytes)
  })

  it('reads batches that are larger than its window', async () => {
    const {log, path} = await openLog()
    const limits = {...LIMITS, maxMessageBytes: 2 ** 30}
    for (const mebibytes of [3, 5, 1])
      log.append(await makeBatch({values: [Buffer.alloc(mebibytes * 2 ** 20)]}), limits)
    log.close()
    await appendFile(path, 'torn')
    const reopened = await openLog({path})
    expect(reopened.log.endOffset).toBe(3)
    expect(baseOffsets(reopened.log.read(1, 2 ** 30, true))).toEqual([1, 2])
  })
})
