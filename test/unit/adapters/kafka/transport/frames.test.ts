import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {FrameReader, MAX_FRAME_BYTES} from '../../../../../src/adapters/kafka/transport/frames.js'

const framed = (payload: Buffer): Buffer => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(payload.length)
  return Buffer.concat([size, payload])
}

describe('FrameReader', () => {
  it('finds the same frames however the stream is cut', () => {
    const payloads = fc.array(fc.uint8Array({minLength: 4, maxLength: 300}), {maxLength: 8})
    const cuts = fc.array(fc.integer({min: 1, max: 50}), {minLength: 1})
    fc.assert(
      fc.property(payloads, cuts, (frames, sizes) => {
        const stream = Buffer.concat(frames.map((frame) => framed(Buffer.from(frame))))
        const reader = new FrameReader()
        const found: Buffer[] = []
        for (let position = 0, i = 0; position < stream.length; i++) {
          const end = position + sizes[i % sizes.length]!
          found.push(...reader.push(stream.subarray(position, end)))
          position = end
        }
        expect(found.map((frame) => frame.toString('hex'))).toEqual(
          frames.map((frame) => Buffer.from(frame).toString('hex')),
        )
      }),
    )
  })

  it('finds the same frames in reads of any length, straight into large frames', () => {
    const payloads = fc.array(
      fc.oneof(fc.integer({min: 4, max: 300}), fc.integer({min: 15_000, max: 200_000})),
      {maxLength: 6},
    )
    const reads = fc.array(fc.oneof(fc.integer({min: 1, max: 50}), fc.integer({min: 1000, max: 90_000})), {
      minLength: 1,
    })
    fc.assert(
      fc.property(payloads, reads, (lengths, sizes) => {
        const frames = lengths.map((length, i) => Buffer.alloc(length, i + 1))
        const stream = Buffer.concat(frames.map(framed))
        const reader = new FrameReader()
        const found: Buffer[] = []
        for (let position = 0, i = 0; position < stream.length; i++) {
          const place = reader.nextRead()
          const end = Math.min(stream.length, position + Math.min(place.length, sizes[i % sizes.length]!))
          stream.copy(place, 0, position, end)
          found.push(...reader.wrote(end - position))
          position = end
        }
        expect(found.length).toBe(frames.length)
        expect(found.every((frame, i) => frame.equals(frames[i]!))).toBe(true)
      }),
      {numRuns: 50},
    )
  })

  it('keeps nothing of the chunk that it was given', () => {
    const chunk = framed(Buffer.from('payload'))
    const [frame] = new FrameReader().push(chunk)
    chunk.fill(0)
    expect(frame!.toString()).toBe('payload')
  })

  it.each([
    ['negative', -1],
    ['too small for a correlation id', 3],
    ['larger than the limit', MAX_FRAME_BYTES + 1],
    ['a TLS alert', 0x15030300],
    ['HTTP', Buffer.from('HTTP').readInt32BE()],
  ])('refuses a size that is %s before reserving memory for it', (_, size) => {
    const prefix = Buffer.alloc(4)
    prefix.writeInt32BE(size)
    expect(() => new FrameReader().push(prefix)).toThrow(RangeError)
  })
})
