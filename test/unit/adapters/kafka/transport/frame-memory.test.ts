import {describe, expect, it} from 'vitest'
import {FrameMemory} from '../../../../../src/adapters/kafka/transport/frame-memory.js'
import {FrameReader} from '../../../../../src/adapters/kafka/transport/frames.js'

const MIB = 1024 * 1024

describe('FrameMemory', () => {
  it('hands out again what was given back, for frames that fit', () => {
    const memory = new FrameMemory(8 * MIB)
    const frame = memory.take(3 * MIB + 5)
    expect(frame).toHaveLength(3 * MIB + 5)
    memory.give(frame.subarray(4, 20))
    const next = memory.take(2 * MIB)
    expect(next).toHaveLength(2 * MIB)
    expect(next.buffer).toBe(frame.buffer)
    expect(memory.take(2 * MIB).buffer).not.toBe(frame.buffer)
    memory.give(next)
    expect(memory.take(5 * MIB).buffer).not.toBe(frame.buffer)
  })

  it('has nothing in common for frames that nobody gave back', () => {
    const memory = new FrameMemory(8 * MIB)
    const frames = [memory.take(MIB), memory.take(MIB), memory.take(2 * MIB)]
    expect(new Set(frames.map(({buffer}) => buffer)).size).toBe(3)
  })

  it('keeps no more than a frame of the largest size, rather than smaller ones', () => {
    const memory = new FrameMemory(2 * MIB)
    const isKept = (frame: Buffer) => memory.take(frame.length).buffer === frame.buffer
    const [one, two, three] = [memory.take(MIB), memory.take(MIB), memory.take(MIB)]
    for (const frame of [one, two, three]) memory.give(frame)
    const again = [memory.take(MIB), memory.take(MIB), memory.take(MIB)].map(({buffer}) => buffer)
    expect([one, two, three].map(({buffer}) => again.includes(buffer))).toEqual([true, true, false])
    const large = memory.take(2 * MIB)
    memory.give(one)
    memory.give(large)
    expect(isKept(large)).toBe(true)
    expect(isKept(one)).toBe(false)
  })

  it.each([2 * MIB + 100, 12 * MIB + 16_384, 16 * MIB + 16_384])(
    'keeps a frame of the largest size, %d bytes, which no power of two is near',
    (frameBytes) => {
      const memory = new FrameMemory(frameBytes)
      const frame = memory.take(frameBytes)
      memory.give(frame)
      expect(memory.take(frameBytes).buffer).toBe(frame.buffer)
    },
  )

  it('does not keep small frames, those beyond its bound, nor memory of others', () => {
    const memory = new FrameMemory(MIB)
    for (const byteLength of [1000, 3 * MIB]) {
      const frame = memory.take(byteLength)
      expect(frame.buffer.byteLength).toBe(byteLength)
      memory.give(frame)
      expect(memory.take(byteLength).buffer).not.toBe(frame.buffer)
    }
    const other = Buffer.alloc(MIB - 1)
    memory.give(other)
    expect(memory.take(MIB - 1).buffer).not.toBe(other.buffer)
  })

  it('is what a reader of frames reads large ones into', () => {
    const memory = new FrameMemory(8 * MIB)
    const reader = new FrameReader(memory)
    const read = (content: Buffer) => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(content.length)
      return reader.push(Buffer.concat([size, content]))[0]!
    }
    const first = read(Buffer.alloc(MIB, 1))
    memory.give(first)
    const second = read(Buffer.alloc(MIB - 10, 2))
    expect(second.buffer).toBe(first.buffer)
    expect(second.equals(Buffer.alloc(MIB - 10, 2))).toBe(true)
  })
})
