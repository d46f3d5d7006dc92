import fc from 'fast-check'
import {encode as independentEncode, decode as independentDecode} from '@msgpack/msgpack'
import {describe, expect, it} from 'vitest'
import {decodeChunk, encodeChunk, POISON_CODES} from '../../src/core/chunk/index.js'
import {NO_HEADERS} from '../../src/core/chunk/headers.js'
import {chunksOf, joined} from '../support/chunks.js'

const name = fc
  .string({unit: 'grapheme', minLength: 1, maxLength: 40})
  .filter((text) => !/[/\0]/.test(text) && !['.', '..', '.streamtool'].includes(text) && text.isWellFormed())
const path = fc.array(name, {minLength: 1, maxLength: 4}).map((parts) => parts.join('/'))
const file = fc.record({
  path,
  content: fc.uint8Array({maxLength: 5000}).map((bytes) => Buffer.from(bytes)),
  chunkBytes: fc.integer({min: 1, max: 2000}),
  mtimeSeconds: fc.option(fc.double({min: 0.001, max: 4e9, noNaN: true})),
})

describe('the chunk codec', () => {
  it('gives back every chunk of every file', () => {
    fc.assert(
      fc.property(file, (f) => {
        for (const chunk of chunksOf(f)) {
          expect(
            decodeChunk({value: joined(encodeChunk(chunk, NO_HEADERS).value), headers: []}),
          ).toMatchObject({
            chunk,
            path: f.path,
          })
        }
      }),
      {numRuns: 60},
    )
  })

  it('writes what an independent MessagePack library reads and writes', () => {
    fc.assert(
      fc.property(file, (f) => {
        const chunk = chunksOf(f).at(-1)!
        const bytes = joined(encodeChunk(chunk, NO_HEADERS).value)!
        const fields = independentDecode(bytes) as unknown[]
        const expected = [
          chunk.wireName,
          chunk.sha512,
          chunk.chunkSha512,
          chunk.offsetBytes,
          chunk.index,
          chunk.count,
          chunk.subdir,
          '',
          chunk.data,
        ]
        const asBuffers = fields
          .slice(0, 9)
          .map((field) => (field instanceof Uint8Array ? Buffer.from(field) : field))
        expect(asBuffers).toEqual(expected)
        // All but the time, which that library writes as an integer when it is one.
        expect(Buffer.from(independentEncode(fields.slice(0, 9))).subarray(1)).toEqual(bytes.subarray(1, -9))
      }),
      {numRuns: 60},
    )
  })

  it('answers any bytes with a chunk or a code, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 400}), (bytes) => {
        const result = decodeChunk({value: Buffer.from(bytes), headers: []})
        expect('poison' in result ? result.poison in POISON_CODES : result.path).toBeTruthy()
      }),
      {numRuns: 3000},
    )
  })

  it('answers a valid value with some bytes changed in the same way', () => {
    const good = joined(
      encodeChunk(chunksOf({path: 'a/b', content: Buffer.alloc(300, 7)})[0]!, NO_HEADERS).value,
    )!
    const change = fc.record({at: fc.nat(good.length - 1), byte: fc.nat(255)})
    fc.assert(
      fc.property(fc.array(change, {minLength: 1, maxLength: 6}), fc.nat(good.length), (changes, cut) => {
        const bytes = Buffer.from(cut % 3 === 0 ? good.subarray(0, cut) : good)
        for (const {at, byte} of changes) if (at < bytes.length) bytes[at] = byte
        const result = decodeChunk({value: bytes, headers: []})
        if ('poison' in result) expect(POISON_CODES).toHaveProperty(result.poison)
        else expect(result.path.split('/')).not.toContain('..')
      }),
      {numRuns: 3000},
    )
  })

  it('keeps no more than the hashes and names beside a view of the record', () => {
    const value = joined(
      encodeChunk(chunksOf({path: 'f', content: Buffer.alloc(50_000), chunkBytes: 50_000})[0]!, NO_HEADERS)
        .value,
    )!
    const result = decodeChunk({value, headers: []})
    if ('poison' in result) throw new Error(result.reason)
    expect(result.chunk.data.buffer).toBe(value.buffer)
    expect(result.chunk.sha512.buffer).not.toBe(value.buffer)
  })
})
