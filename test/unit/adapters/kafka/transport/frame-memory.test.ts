import {describe, expect, it} from 'vitest'
import {FrameMemory} from '../../../../../src/adapters/kafka/transport/frame-memory.js'
import {FrameReader} from '../../../../../src/adapters/kafka/transport/frames.js'

const MIB = 1024 * 1024

describe('FrameMemory', () => {
  it('hands out again what was given back, for frames of about that size', () => {
    const memory = new FrameMemory(8 * MIB)
    const frame = memory.take(3 * MIB)
    expect(frame).toHaveLength(3 * MIB)
    memory.give(frame.subarray(4, 20))
    const next = memory.take(4 * MIB)
    expect(next).toHaveLength(4 * MIB)
    expect(next.buffer).toBe(frame.buffer)
    expect(memory.take(4 * MIB).buffer).not.toBe(frame.buffer)
  })

  it('has nothing in common for frames that nobody gave back', () => {
    const memory = new FrameMemory(8 * MIB)
    const frames = [memory.take(MIB), memory.take(MIB), memory.take(2 * MIB)]
    expect(new Set(frames.map(({buffer}) => buffer)).size).toBe(3)
  })

  it('keeps no more than it may', () => {
    const memory = new FrameMemory(2 * MIB)
    const frames = [memory.take(MIB), memory.take(MIB), memory.take(MIB)]
    for (const frame of frames) memory.give(frame)
    const again = [memory.take(MIB), memory.take(MIB), memory.take(MIB)].map(({buffer}) => buffer)
    expect(again.filter((buffer) => frames.some((frame) => frame.buffer === buffer))).toHaveLength(2)
  })

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
