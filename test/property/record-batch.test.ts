import {readFileSync} from 'node:fs'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {compressBatch} from '../../src/adapters/kafka/record-batch/compress-batch.js'
import {canWrite, type Codec, decompress} from '../../src/adapters/kafka/record-batch/compression/index.js'
import {decodeRecordSet} from '../../src/adapters/kafka/record-batch/decode.js'
import {encodeRecordBatch} from '../../src/adapters/kafka/record-batch/encode.js'
import {Cursor} from '../../src/adapters/kafka/record-batch/cursor.js'
import {
  sizeOfVarint,
  sizeOfVarlong,
  writeVarint,
  writeVarlong,
} from '../../src/adapters/kafka/record-batch/varint.js'
import {resealed} from '../support/record-batches.js'
import {StreamtoolError} from '../../src/core/errors.js'
import type {OutgoingRecord} from '../../src/core/record.js'

const bytes = (maxLength: number) => fc.uint8Array({maxLength}).map((data) => Buffer.from(data))
const record: fc.Arbitrary<OutgoingRecord> = fc.record({
  key: fc.option(bytes(200)),
  value: fc.option(fc.array(fc.oneof(bytes(100), bytes(9000)), {maxLength: 4})),
  headers: fc.array(fc.record({key: fc.string({unit: 'grapheme'}), value: fc.option(bytes(80))}), {
    maxLength: 5,
  }),
  timestampMs: fc.integer({min: 0, max: 2 ** 45}),
})

const noTransactions = {topic: 't', partition: 0, abortedTransactions: []}

describe('record batches', () => {
  it('are read as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, {minLength: 1, maxLength: 30}),
        fc.nat(30),
        async (records, fromOffset) => {
          const {buffers, byteLength} = encodeRecordBatch(records, {nowMs: 1})
          const written = Buffer.concat(buffers)
          expect(written).toHaveLength(byteLength)
          const decoded = await decodeRecordSet({...noTransactions, bytes: written, fromOffset})
          expect(decoded.nextOffset).toBe(Math.max(fromOffset, records.length))
          expect(decoded.records).toEqual(
            records
              .map(({key, value, headers, timestampMs}, offset) => ({
                topic: 't',
                partition: 0,
                offset,
                timestampMs,
                key,
                value: value === null ? null : Buffer.concat(value),
                headers,
              }))
              .slice(fromOffset),
          )
        },
      ),
    )
  })

  const codec = fc.constantFrom<Codec>('gzip', 'snappy', 'lz4', 'zstd').filter(canWrite)
  /** Of few words, so that there is something to be found again, near and far. */
  const wordy = fc
    .array(
      fc.tuple(fc.constantFrom('a', 'bcd', 'some more of it ', '\0\0\0\0\0'), fc.integer({min: 1, max: 300})),
    )
    .map((words) => Buffer.from(words.map(([word, times]) => word.repeat(times)).join('')))

  it('are read as they were written when they are compressed, and never get larger', async () => {
    await fc.assert(
      fc.asyncProperty(
        codec,
        fc.array(fc.oneof(wordy, bytes(300)), {minLength: 1, maxLength: 6}),
        async (name, values) => {
          const records = values.map((value) => ({key: null, value: [value], headers: [], timestampMs: 1}))
          const plain = encodeRecordBatch(records, {nowMs: 1})
          const {buffers, byteLength} = await compressBatch(plain, name)
          const written = Buffer.concat(buffers)
          expect(written).toHaveLength(byteLength)
          expect(byteLength).toBeLessThanOrEqual(plain.byteLength)
          const decoded = await decodeRecordSet({...noTransactions, bytes: written, fromOffset: 0})
          // Deep equality takes long for so many bytes.
          expect(decoded.records.map(({value}, i) => value!.equals(values[i]!))).toEqual(
            values.map(() => true),
          )
        },
      ),
    )
  })

  it('cost nothing but an error of their own, whatever is in them', async () => {
    const names = [
      'librdkafka-none',
      'java-gzip',
      'librdkafka-snappy',
      'java-snappy',
      'java-lz4',
      'java-zstd',
      'transactions',
    ]
    const originals = names.map((name) =>
      readFileSync(new URL(`../fixtures/record-batches/${name}.bin`, import.meta.url)),
    )
    const damage = fc.array(fc.tuple(fc.oneof(fc.nat(120), fc.nat(20_000)), fc.nat(255)), {
      minLength: 1,
      maxLength: 6,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        damage,
        fc.nat(100),
        async (original, changes, fromOffset) => {
          const changed = Buffer.from(original)
          for (const [position, value] of changes) {
            // The magic byte stays, so that more than a refusal is tried.
            if (position !== 16) changed[position % changed.length] = value
          }
          // One batch, as long as it says, with the right CRC: somebody meant it.
          const byteLength = 12 + original.readInt32BE(8)
          changed.writeInt32BE(byteLength - 12, 8)
          resealed(changed.subarray(0, byteLength))
          try {
            const decoded = await decodeRecordSet({...noTransactions, bytes: changed, fromOffset})
            for (const {offset} of decoded.records) expect(offset).toBeGreaterThanOrEqual(fromOffset)
          } catch (error) {
            expect(error).toBeInstanceOf(StreamtoolError)
            expect(['BATCH_CORRUPT', 'CODEC_UNKNOWN']).toContain((error as StreamtoolError).code)
          }
        },
      ),
      {numRuns: 500},
    )
  })

  it('cost nothing but an error when they are no batches at all', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(300), async (noise) => {
        const decoding = decodeRecordSet({...noTransactions, bytes: noise, fromOffset: 0})
        await decoding.then(
          ({records}) => expect(records).toEqual([]),
          (error: unknown) => expect(error).toMatchObject({code: 'BATCH_CORRUPT'}),
        )
      }),
      {numRuns: 2000},
    )
  })
})

describe('numbers of variable length', () => {
  it('of 32 bits are read as they were written, and are as long as announced', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const target = Buffer.alloc(10)
        const end = writeVarint(target, value, 0)
        expect(end).toBe(sizeOfVarint(value))
        expect(new Cursor(target.subarray(0, end)).varint()).toBe(value)
      }),
    )
  })

  it('of 52 bits are read as they were written, and are as long as announced', () => {
    fc.assert(
      fc.property(fc.integer({min: -(2 ** 51), max: 2 ** 51}), (value) => {
        const target = Buffer.alloc(10)
        const end = writeVarlong(target, value, 0)
        expect(end).toBe(sizeOfVarlong(value))
        expect(new Cursor(target.subarray(0, end)).varlong()).toBe(value)
      }),
    )
  })
})

/** What a compressor does, as steps: bytes as they are, or bytes again from further back. */
const steps = fc.array(
  fc.oneof(
    bytes(90).filter((literal) => literal.length > 0),
    fc.record({distance: fc.integer({min: 1, max: 300}), byteLength: fc.integer({min: 4, max: 64})}),
  ),
  {minLength: 1, maxLength: 40},
)
type Step = Buffer | {distance: number; byteLength: number}

/** Steps that refer to what is there, and what comes of them, byte for byte. */
function play(wanted: readonly Step[]): {valid: Step[]; text: Buffer} {
  const text: number[] = []
  const valid: Step[] = []
  for (const step of wanted) {
    if (Buffer.isBuffer(step)) text.push(...step)
    else if (step.distance > text.length) continue
    else for (let i = 0; i < step.byteLength; i++) text.push(text[text.length - step.distance]!)
    valid.push(step)
  }
  return {valid, text: Buffer.from(text)}
}

describe('compressed bytes', () => {
  it('of Snappy become what was compressed', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (wanted) => {
        const {valid, text} = play(wanted)
        const parts: Buffer[] = [
          Buffer.from([(text.length & 0x7f) | 0x80, ((text.length >> 7) & 0x7f) | 0x80, text.length >> 14]),
        ]
        for (const step of valid) {
          if (Buffer.isBuffer(step)) {
            parts.push(
              Buffer.from(step.length <= 60 ? [(step.length - 1) << 2] : [60 << 2, step.length - 1]),
              step,
            )
          } else {
            parts.push(
              Buffer.from([0x02 | ((step.byteLength - 1) << 2), step.distance & 255, step.distance >> 8]),
            )
          }
        }
        expect((await decompress(2, Buffer.concat(parts), 1e6)).equals(text)).toBe(true)
      }),
    )
  })

  it('of LZ4 become what was compressed', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (wanted) => {
        const {valid, text} = play(wanted)
        const block: number[] = []
        let literals: number[] = []
        for (const step of valid) {
          if (Buffer.isBuffer(step)) {
            literals.push(...step)
            continue
          }
          const matched = step.byteLength - 4
          block.push((Math.min(15, literals.length) << 4) | Math.min(15, matched))
          block.push(...lengthBytes(literals.length), ...literals)
          block.push(step.distance & 255, step.distance >> 8, ...lengthBytes(matched))
          literals = []
        }
        block.push(Math.min(15, literals.length) << 4, ...lengthBytes(literals.length), ...literals)
        const size = Buffer.alloc(4)
        size.writeUInt32LE(block.length)
        const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])
        const frame = Buffer.concat([head, size, Buffer.from(block), Buffer.alloc(4)])
        expect((await decompress(3, frame, 1e6)).equals(text)).toBe(true)
      }),
    )
  })
})

/** What LZ4 writes behind the token for a length of 15 and more. */
function lengthBytes(length: number): number[] {
  if (length < 15) return []
  const written: number[] = []
  for (let rest = length - 15; ; rest -= 255) {
    if (rest < 255) return [...written, rest]
    written.push(255)
  }
}
