import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {RequestFrames} from '../../../../src/sandbox/broker/request-frames.js'
import {WireError} from '../../../../src/sandbox/broker/protocol/wire-reader.js'

function framed(request: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(request.length)
  return Buffer.concat([size, request])
}

describe('RequestFrames', () => {
  it('gives back the requests, however the socket cuts them', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), fc.array(fc.integer({min: 1, max: 20})), (requests, cuts) => {
        const stream = Buffer.concat(requests.map(framed))
        const frames = new RequestFrames()
        const taken: Uint8Array[] = []
        for (let position = 0, cut = 0; position < stream.length; cut++) {
          const end = position + (cuts[cut % cuts.length] ?? stream.length)
          frames.push(stream.subarray(position, end))
          position = end
          for (let frame = frames.take(); frame; frame = frames.take()) taken.push(new Uint8Array(frame))
        }
        expect(taken).toEqual(requests)
        expect(frames.byteLength).toBe(0)
      }),
    )
  })

  it.each([-1, -(2 ** 31), 100 * 2 ** 20 + 1, 0x4745_5420])(
    'refuses a size of %d before it waits for so much',
    (size) => {
      const bytes = Buffer.alloc(4)
      bytes.writeInt32BE(size)
      const frames = new RequestFrames()
      frames.push(bytes)
      expect(() => frames.take()).toThrow(WireError)
    },
  )

  it('takes the largest size, and only what has arrived', () => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(100 * 2 ** 20)
    const frames = new RequestFrames()
    frames.push(bytes)
    expect(frames.take()).toBeNull()
    expect(frames.byteLength).toBe(4)
  })
})
