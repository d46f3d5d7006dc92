import {createHash} from 'node:crypto'
import {readFileSync} from 'node:fs'
import {gzipSync} from 'node:zlib'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {decompress} from '../../../../../../src/adapters/kafka/record-batch/compression/index.js'
import {unzstdHere} from '../../../../../../src/adapters/kafka/record-batch/compression/zstd.js'

const GZIP = 1
const SNAPPY = 2
const LZ4 = 3
const ZSTD = 4
const LIMIT = 1_000_000

const undo = async (codec: number, parts: (number[] | Buffer | string)[], maxBytes = LIMIT) =>
  (
    await decompress(codec, Buffer.concat(parts.map((part) => Buffer.from(part as string))), maxBytes)
  ).toString()

const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

const fault = (message: string | RegExp): unknown =>
  expect.objectContaining({name: 'BatchFault', message: expect.stringMatching(message) as unknown})

it('leaves what is not compressed as it is', async () => {
  const bytes = Buffer.from('plain')
  expect(await decompress(0, bytes, 1)).toBe(bytes)
})

it.each([5, 6, 7])('does not know codec %d', async (codec) => {
  await expect(decompress(codec, Buffer.from('x'), LIMIT)).rejects.toMatchObject({
    name: 'UnknownCodec',
    message: `codec ${codec}`,
  })
})

describe('gzip', () => {
  it('is read, several members too', async () => {
    expect(await undo(GZIP, [gzipSync('one, '), gzipSync('two')])).toBe('one, two')
  })

  it('is stopped at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(LIMIT + 1))
    await expect(undo(GZIP, [bomb])).rejects.toEqual(fault('gzip'))
    expect(await undo(GZIP, [gzipSync(Buffer.alloc(LIMIT, 'x'))])).toHaveLength(LIMIT)
  })

  it('tells what it cannot read', async () => {
    await expect(undo(GZIP, ['no gzip'])).rejects.toEqual(fault('gzip: incorrect header'))
    await expect(undo(GZIP, [gzipSync('cut').subarray(0, -1)])).rejects.toEqual(fault('gzip: unexpected end'))
  })
})

describe('lz4', () => {
  const frame = (...blocks: Buffer[]) => [uint32(0x184d2204), [0x60, 0x40, 0x82], ...blocks, uint32(0)]
  const block = (...bytes: number[]) => Buffer.concat([uint32(bytes.length), Buffer.from(bytes)])
  const stored = (text: string) => Buffer.concat([uint32(0x80000000 + text.length), Buffer.from(text)])
  const [a, b, c] = [0x61, 0x62, 0x63]

  it('reads literals, repeats and overlapping repeats', async () => {
    // "abc", then 4 bytes from 3 back, then "!" as the last literals
    expect(await undo(LZ4, frame(block(0x30, a, b, c, 3, 0, 0x10, 0x21)))).toBe('abcabca!')
    // one literal repeated 19 + 2 times
    expect(await undo(LZ4, frame(block(0x1f, a, 1, 0, 2, 0x00)))).toBe('a'.repeat(22))
  })

  it('reads lengths that go on', async () => {
    const literals = Buffer.alloc(15 + 255 + 7, 'x')
    expect(await undo(LZ4, frame(block(0xf0, 255, 7, ...literals)))).toBe(literals.toString())
  })

  it('reads stored blocks, several blocks, several frames, and passes over what may be skipped', async () => {
    const skippable = Buffer.concat([uint32(0x184d2a53), uint32(3), Buffer.from('???')])
    const parts = [...frame(stored('one '), block(0x20, a, b)), skippable, ...frame(stored(' three'))]
    expect(await undo(LZ4, parts)).toBe('one ab three')
  })

  it('reads content size and checksums past', async () => {
    const flags = 0x40 | 0x20 | 0x10 | 0x08 | 0x04
    const parts = [
      uint32(0x184d2204),
      [flags, 0x40],
      uint32(2),
      uint32(0),
      [0],
      block(0x20, a, b),
      uint32(1),
      uint32(0),
      uint32(2),
    ]
    expect(await undo(LZ4, parts)).toBe('ab')
  })

  it('lets only linked blocks refer to the one before', async () => {
    const blocks = [stored('abc'), block(0x00, 3, 0, 0x00)]
    const linked = [uint32(0x184d2204), [0x40, 0x40, 0x82], ...blocks, uint32(0)]
    expect(await undo(LZ4, linked)).toBe('abcabca')
    await expect(undo(LZ4, frame(...blocks))).rejects.toEqual(fault('before their start'))
  })

  it.each<[string, (number[] | Buffer | string)[], string]>([
    ['no frame', ['what?'], 'no frame'],
    ['another version', [uint32(0x184d2204), [0x20, 0x40, 0x82], uint32(0)], 'frame version 0'],
    ['a dictionary', [uint32(0x184d2204), [0x61, 0x40], uint32(1), [0], uint32(0)], 'dictionary'],
    ['a frame without an end', frame(stored('x')).slice(0, -1), 'cut short'],
    ['a block longer than there is', [uint32(0x184d2204), [0x60, 0x40, 0x82], uint32(9), 'abc'], 'cut short'],
    [
      'a stored block longer than there is',
      [uint32(0x184d2204), [0x60, 0x40, 0x82], uint32(0x80000009), 'x'],
      'cut short',
    ],
    [
      'a block of gigabytes',
      [uint32(0x184d2204), [0x60, 0x40, 0x82], uint32(0x7fffffff)],
      'a block of 2147483647',
    ],
    ['literals beyond the block', frame(block(0x50, a)), 'literals beyond'],
    ['a distance of zero', frame(block(0x10, a, 0, 0)), 'before their start'],
    ['a distance beyond the start', frame(block(0x10, a, 2, 0)), 'before their start'],
    ['half a distance', frame(block(0x10, a, 1)), 'ends within a distance'],
    ['a length without an end', frame(block(0xf0, 255, 255)), 'ends within a length'],
  ])('refuses %s', async (_, parts, message) => {
    await expect(undo(LZ4, parts)).rejects.toEqual(fault(message))
  })

  it('is stopped at the limit', async () => {
    // One literal, then 255 more bytes for each byte of input.
    const bomb = frame(block(0x1f, a, 1, 0, ...Array<number>(5000).fill(255), 0, 0x00))
    await expect(undo(LZ4, bomb)).rejects.toEqual(fault(`inflates to more than ${LIMIT}`))
    expect(await undo(LZ4, bomb, 2 * LIMIT)).toHaveLength(5000 * 255 + 20)
  })
})

describe('snappy', () => {
  it('reads literals and copies of all three widths', async () => {
    const parts = [
      [26], // bytes
      [0x08], // literal of 3
      'abc',
      [0x01 | (1 << 2), 3], // 5 bytes from 3 back, 11 bits
      [0x02 | (3 << 2), 8, 0], // 4 bytes from 8 back, 16 bits
      [0x03 | (3 << 2), 12, 0, 0, 0], // 4 bytes from 12 back, 32 bits
      [60 << 2, 9], // literal, its length in one more byte
      '0123456789',
    ]
    expect(await undo(SNAPPY, parts)).toBe('abcabcab' + 'abca' + 'abca' + '0123456789')
  })

  it("reads snappy-java's blocks", async () => {
    const header = [0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1]
    const blocks = [[0, 0, 0, 4], [2, 0x04], 'ab', [0, 0, 0, 3], [1, 0x00], 'c']
    expect(await undo(SNAPPY, [header, ...blocks])).toBe('abc')
    await expect(undo(SNAPPY, [header, [0, 0, 0, 9], 'x'])).rejects.toEqual(fault('a block is cut short'))
    await expect(undo(SNAPPY, [header, [0xff, 0xff, 0xff, 0xff], 'x'])).rejects.toEqual(fault('cut short'))
  })

  it.each<[string, (number[] | string)[], string]>([
    ['nothing', [], 'cut short'],
    ['fewer bytes than announced', [[5, 0x04], 'ab'], 'fewer bytes than it announced'],
    ['more bytes than announced', [[1, 0x04], 'ab'], 'more bytes than it announced'],
    ['a length without an end', [[255, 255, 255, 255, 255, 255]], 'more than 32 bits'],
    ['a literal longer than there is', [[9, 0x20], 'ab'], 'a literal is cut short'],
    ['a literal of gigabytes', [[9, 63 << 2, 255, 255, 255, 255], 'ab'], 'a literal is cut short'],
    ['a copy from before the start', [[9, 0x00], 'a', [0x01, 2]], 'before their start'],
    ['a copy from nowhere', [[9, 0x00], 'a', [0x01, 0]], 'before their start'],
    ['half a copy', [[9, 0x00], 'a', [0x02]], 'cut short'],
  ])('refuses %s', async (_, parts, message) => {
    await expect(undo(SNAPPY, parts)).rejects.toEqual(fault(message))
  })

  it('is stopped at the limit, whatever it announced', async () => {
    const copies = Array.from({length: 20_000}, () => [0x02 | (63 << 2), 1, 0])
    await expect(undo(SNAPPY, [[255, 255, 255, 255, 15, 0x00], 'a', ...copies])).rejects.toEqual(
      fault(`inflates to more than ${LIMIT}`),
    )
  })
})

describe('zstd', () => {
  const MAGIC = uint32(0xfd2fb528)
  const block = (type: number, size: number, isLast: boolean) => {
    const header = (size << 3) | (type << 1) | Number(isLast)
    return [header & 255, (header >> 8) & 255, header >> 16]
  }
  const raw = (text: string, isLast = true) => [block(0, text.length, isLast), text] as const
  const rle = (char: string, times: number, isLast = true) => [block(1, times, isLast), char] as const
  /** Window of 1 KiB, no content size. */
  const plain = [MAGIC, [0x00, 0x00]]

  it('reads frames, several of them, and passes over what may be skipped', async () => {
    const skippable = [uint32(0x184d2a5f), uint32(2), '??']
    const parts = [...plain, ...raw('one ', false), ...rle('x', 3), ...skippable, ...plain, ...raw(' two')]
    expect(await undo(ZSTD, parts)).toBe('one xxx two')
  })

  it.each<[string, (number[] | Buffer | string)[], string]>([
    ['no frame', ['what?'], 'no frame'],
    ['a dictionary', [MAGIC, [0x01, 0x00, 7], ...raw('x')], 'dictionary'],
    ['a frame without blocks', plain, 'cut short'],
    ['a block longer than there is', [...plain, block(0, 100, true), 'x'], 'cut short'],
    ['a frame without its last block', [...plain, ...raw('x', false)], 'cut short'],
    ['a missing checksum', [MAGIC, [0x04, 0x00], ...raw('x')], 'cut short'],
    ['a window of gigabytes', [MAGIC, [0x00, 0xa8], ...raw('x')], `more than ${LIMIT}`],
    [
      'a content size of terabytes',
      [MAGIC, [0xe0], [0, 0, 0, 0, 0, 1, 0, 0], ...raw('x')],
      `more than ${LIMIT}`,
    ],
  ])('refuses %s', async (_, parts, message) => {
    await expect(undo(ZSTD, parts)).rejects.toEqual(fault(message))
  })

  it('refuses a window of gigabytes in a later frame too', async () => {
    const parts = [...plain, ...raw('x'), MAGIC, [0x00, 0xa8], ...raw('x')]
    await expect(undo(ZSTD, parts)).rejects.toEqual(fault(`more than ${LIMIT}`))
  })

  it('is stopped at the limit, with what Node has and without', async () => {
    const blocks = Array.from({length: 1200}, (_, i) => rle('a', 1000, i === 1199)).flat()
    const bomb = Buffer.concat([...plain, ...blocks].map((part) => Buffer.from(part as string)))
    await expect(decompress(ZSTD, bomb, LIMIT)).rejects.toEqual(fault(/zstd|inflates to more than/))
    expect(() => unzstdHere(bomb, LIMIT)).toThrow(`inflates to more than ${LIMIT}`)
    expect(unzstdHere(bomb, 2 * LIMIT)).toHaveLength(1_200_000)
  })

  it('reads a Huffman tree whose weights are told one by one', () => {
    // Header of the literals: 5 of them from 3 bytes; then one weight, and the bits 1 (end) 0 1 1 0 1.
    const literals = [0x52, 0xc0, 0x00, 128, 0x10, 0b101101]
    const frame = [...plain, block(2, 7, true), literals, [0]]
    expect([...unzstdHere(joined(frame), LIMIT)]).toEqual([0, 1, 1, 0, 1])
  })

  it('reads literals that are one byte repeated', () => {
    const frame = [...plain, block(2, 3, true), [(5 << 3) | 1, 0x78, 0]]
    expect(unzstdHere(joined(frame), LIMIT).toString()).toBe('xxxxx')
  })

  it('reads more sequences than two bytes can count', () => {
    const count = 0x7f05
    // No literals; three constant tables, so that each sequence takes no bit: 3 bytes again, from the offset before.
    const sequences = [0, 0xff, 5, 0, 0b01010100, 0, 0, 0, 1]
    const window = [MAGIC, [0x00, 0x38]]
    const frame = [...window, ...raw('abcdefgh', false), block(2, sequences.length, true), sequences]
    const expected = [...Buffer.from('abcdefgh')]
    for (let i = 0; i < count; i++) {
      const offset = i % 2 === 0 ? 4 : 1
      for (let j = 0; j < 3; j++) expected.push(expected[expected.length - offset]!)
    }
    expect(unzstdHere(joined(frame), LIMIT).equals(Buffer.from(expected))).toBe(true)
  })

  /** Some have large windows. */
  const WINDOWS = 16 * 1024 * 1024
  interface Sample {
    level: number
    bytes: number
    sha256: string
    compressed: string
  }
  const samples = JSON.parse(
    readFileSync(
      new URL('../../../../../fixtures/record-batches/zstd-samples.json', import.meta.url),
      'utf8',
    ),
  ) as Sample[]

  it.each(samples)('reads $bytes bytes from level $level of the reference', async ({sha256, compressed}) => {
    const frame = Buffer.from(compressed, 'base64')
    for (const read of [unzstdHere(frame, WINDOWS), await decompress(ZSTD, frame, WINDOWS)]) {
      expect(createHash('sha256').update(read).digest('hex')).toBe(sha256)
    }
  })

  it('survives every damage to them, soon', () => {
    const damage = fc.array(fc.tuple(fc.nat(20_000), fc.nat(255)), {minLength: 1, maxLength: 5})
    fc.assert(
      fc.property(fc.constantFrom(...samples), damage, ({compressed}, changes) => {
        const frame = Buffer.from(compressed, 'base64')
        for (const [position, value] of changes) frame[position % frame.length] = value
        try {
          expect(unzstdHere(frame, WINDOWS).length).toBeLessThanOrEqual(WINDOWS)
        } catch (error) {
          expect(error).toMatchObject({name: 'BatchFault'})
        }
      }),
      {numRuns: 2000},
    )
  })
})

const joined = (parts: readonly (number[] | Buffer | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)))
