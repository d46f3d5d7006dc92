import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {decodeChunkedBody} from '../../../../../src/sandbox/bucket/body/chunked-body.js'
import {unsignedChunks} from '../../../../support/s3-chunked.js'

const KIB = 1024

/** The body in pieces of these sizes, over and over. */
async function* cut(body: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, turn = 0; at < body.length; turn++) {
    const size = sizes[turn % sizes.length]!
    yield body.subarray(at, at + size)
    at += size
  }
}

async function decode(body: Buffer | string, sizes = [64 * KIB], mayHaveTrailers = true) {
  const trailers = new Map<string, string>()
  const parts: Buffer[] = []
  const source = cut(Buffer.from(body), sizes)
  for await (const part of decodeChunkedBody(source, {signatures: null, mayHaveTrailers, trailers}))
    parts.push(part)
  return {data: Buffer.concat(parts), trailers: Object.fromEntries(trailers)}
}

describe('a body in aws-chunked form', () => {
  it('is its data and its trailers, wherever the network cuts it', async () => {
    const chunk = fc.uint8Array({minLength: 8 * KIB, maxLength: 20 * KIB}).map((bytes) => Buffer.from(bytes))
    const last = fc.uint8Array({maxLength: 100}).map((bytes) => Buffer.from(bytes))
    const property = fc.asyncProperty(
      fc.array(chunk, {maxLength: 3}),
      last,
      fc.array(fc.integer({min: 1, max: 5000}), {minLength: 1, maxLength: 5}),
      async (chunks, end, sizes) => {
        const pieces = end.length > 0 ? [...chunks, end] : chunks
        const body = unsignedChunks(pieces, {'X-Amz-Checksum-CRC32': ' AAAAAA== '})
        const {data, trailers} = await decode(body, sizes)
        expect(data.equals(Buffer.concat(pieces))).toBe(true)
        expect(trailers).toEqual({'x-amz-checksum-crc32': 'AAAAAA=='})
      },
    )
    await fc.assert(property, {numRuns: 60})
  })

  it('may be empty, and without trailers', async () => {
    expect(await decode('0\r\n\r\n')).toEqual({data: Buffer.alloc(0), trailers: {}})
    expect((await decode('1\r\nx\r\n0\r\n\r\n', [1], false)).data.toString()).toBe('x')
  })

  it.each([
    ['nothing', ''],
    ['no chunks', 'hello'],
    ['a size that is none', 'xyz\r\n'],
    ['a size beyond all', `${'f'.repeat(13)}\r\n`],
    ['a negative size', '-1\r\nx\r\n0\r\n\r\n'],
    ['a line without end', '1'.repeat(2000)],
    ['a line that is too long', `1;${'x'.repeat(2000)}\r\nx\r\n0\r\n\r\n`],
    ['less data than it says', '5\r\nabc'],
    ['more data than it says', '2\r\nabc\r\n0\r\n\r\n'],
    ['without a last chunk', '1\r\nx\r\n'],
    ['without its last line', '1\r\nx\r\n0\r\n'],
    ['longer than its end', '1\r\nx\r\n0\r\n\r\nmore'],
  ])('is refused when it is %s', async (_, body) => {
    for (const size of [1, 7, 64 * KIB])
      await expect(decode(body, [size])).rejects.toMatchObject({code: 'IncompleteBody'})
  })

  it('is refused with small chunks before the last', async () => {
    const small = unsignedChunks([Buffer.alloc(8191), Buffer.alloc(1)])
    await expect(decode(small)).rejects.toMatchObject({code: 'InvalidChunkSizeError'})
    await decode(unsignedChunks([Buffer.alloc(8192), Buffer.alloc(1)]))
  })

  it.each([
    ['no name', 'x\r\n'],
    ['odd bytes', 'x-a: \u0001\r\n'],
    ['too many', Array.from({length: 17}, (_, index) => `x-${index}:1\r\n`).join('')],
    ['a signature that nobody asked for', 'x-amz-trailer-signature:00\r\n'],
  ])('is refused with trailers of %s', async (_, trailers) => {
    await expect(decode(`0\r\n${trailers}\r\n`)).rejects.toMatchObject({code: 'MalformedTrailerError'})
  })

  it('is refused with trailers that were not announced, or with signatures', async () => {
    const withTrailer = decode('0\r\nx-a:1\r\n\r\n', [10], false)
    await expect(withTrailer).rejects.toMatchObject({code: 'MalformedTrailerError'})
    const signed = decode(`0;chunk-signature=${'0'.repeat(64)}\r\n\r\n`)
    await expect(signed).rejects.toMatchObject({code: 'SignatureDoesNotMatch'})
  })
})
