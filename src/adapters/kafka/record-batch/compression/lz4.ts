/**
 * LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), read here because the packages for it
 * have no limit on their output or do not run everywhere.
 *
 *   magic | FLG BD [int64 content size] [int32 dictionary id] HC
 *   blocks: uint32 size (top bit: stored), bytes, [uint32 checksum] … until size 0 | [uint32 content checksum]
 *
 * The checksums inside are not looked at: the batch's CRC has covered these bytes already. That also reads what
 * some old clients write, whose header checksum is wrong.
 */
import {Buffer} from 'node:buffer'
import {BatchFault} from '../fault.js'
import type {Compress} from './compress.js'
import type {Decompress} from './decompress.js'
import {BLOCK_BYTES, eachRepetition} from './repetitions.js'
import {BoundedOutput} from './output.js'

const FRAME_MAGIC = 0x184d2204
const SKIPPABLE_MAGIC = 0x184d2a50
const STORED = 0x80000000
const MAX_BLOCK_BYTES = 4 * 1024 * 1024
const MIN_MATCH_BYTES = 4
/** Typical of what compresses at all; only a first guess. */
const EXPECTED_RATIO = 3

export const unlz4: Decompress = (bytes, maxBytes) => {
  const output = new BoundedOutput(maxBytes, bytes.length * EXPECTED_RATIO)
  let position = 0
  while (position < bytes.length) {
    const magic = uint32(bytes, position)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) position += 8 + uint32(bytes, position + 4)
    else if (magic === FRAME_MAGIC) position = readFrame(bytes, position + 4, output)
    else throw new BatchFault('lz4: no frame where one must begin')
  }
  return output.finish()
}

/** @returns the position behind the frame */
function readFrame(bytes: Buffer, start: number, output: BoundedOutput): number {
  const flags = byteAt(bytes, start)
  if (flags >> 6 !== 1) throw new BatchFault(`lz4: frame version ${flags >> 6}`)
  const blocksAreLinked = (flags & 0x20) === 0
  const hasBlockChecksum = (flags & 0x10) !== 0
  const hasContentSize = (flags & 0x08) !== 0
  const hasContentChecksum = (flags & 0x04) !== 0
  if ((flags & 0x01) !== 0) throw new BatchFault('lz4: a frame that needs a dictionary')
  const frameStart = output.length
  let position = start + 3 + (hasContentSize ? 8 : 0)
  for (;;) {
    const size = uint32(bytes, position)
    position += 4
    if (size === 0) break
    const byteLength = (size & ~STORED) >>> 0
    if (byteLength > MAX_BLOCK_BYTES) throw new BatchFault(`lz4: a block of ${byteLength} bytes`)
    const end = position + byteLength
    if ((size & STORED) !== 0) output.append(bytes, position, end)
    else readBlock(bytes, position, end, output, blocksAreLinked ? frameStart : output.length)
    position = end + (hasBlockChecksum ? 4 : 0)
  }
  return position + (hasContentChecksum ? 4 : 0)
}

/**
 * A block is sequences: token (4 bits literal length, 4 bits match length − 4, 15 meaning that more follows), the
 * literals, a 16-bit distance. The last sequence ends with its literals.
 */
function readBlock(bytes: Buffer, start: number, end: number, output: BoundedOutput, floor: number): void {
  if (end > bytes.length) throw new BatchFault('lz4: a block is cut short')
  let position = start
  const extended = (nibble: number): number => {
    let length = nibble
    if (nibble < 15) return length
    for (;;) {
      if (position >= end) throw new BatchFault('lz4: a block ends within a length')
      const byte = byteAt(bytes, position++)
      length += byte
      if (byte < 255) return length
    }
  }
  while (position < end) {
    const token = byteAt(bytes, position++)
    const literalBytes = extended(token >> 4)
    if (position + literalBytes > end) throw new BatchFault('lz4: literals beyond the end of a block')
    output.append(bytes, position, position + literalBytes)
    position += literalBytes
    if (position === end) return
    if (position + 2 > end) throw new BatchFault('lz4: a block ends within a distance')
    const distance = byteAt(bytes, position) | (byteAt(bytes, position + 1) << 8)
    position += 2
    output.repeat(distance, extended(token & 15) + MIN_MATCH_BYTES, floor)
  }
}

function byteAt(bytes: Buffer, position: number): number {
  const byte = bytes[position]
  if (byte === undefined) throw new BatchFault('lz4: cut short')
  return byte
}

function uint32(bytes: Buffer, position: number): number {
  if (position + 4 > bytes.length) throw new BatchFault('lz4: cut short')
  return bytes.readUInt32LE(position)
}

/** Version 1, blocks that stand alone, of 64 KiB at most, without sizes and checksums; and the checksum of saying so. */
const FRAME_HEADER = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])

export const lz4: Compress = (bytes) => {
  const pieces: Buffer[] = [FRAME_HEADER]
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const block = bytes.subarray(start, start + BLOCK_BYTES)
    const written = writeBlock(block)
    const isSmaller = written.length < block.length
    pieces.push(sizeField(isSmaller ? written.length : block.length + STORED), isSmaller ? written : block)
  }
  pieces.push(sizeField(0))
  return Buffer.concat(pieces)
}

function writeBlock(block: Buffer): Buffer {
  const output = Buffer.allocUnsafe(32 + block.length + Math.ceil(block.length / 4) * 3)
  let position = 0
  const lengthBeyond = (nibble: number) => {
    if (nibble < 15) return
    let left = nibble - 15
    for (; left >= 255; left -= 255) output[position++] = 255
    output[position++] = left
  }
  const sequence = (from: number, to: number, matchBytes: number) => {
    const literals = to - from
    output[position++] = (Math.min(literals, 15) << 4) | Math.min(matchBytes, 15)
    lengthBeyond(literals)
    position += block.copy(output, position, from, to)
  }
  const rest = eachRepetition(block, (literalsFrom, at, distance, length) => {
    const matchBytes = length - MIN_MATCH_BYTES
    sequence(literalsFrom, at, matchBytes)
    position = output.writeUInt16LE(distance, position)
    lengthBeyond(matchBytes)
  })
  sequence(rest, block.length, 0)
  return output.subarray(0, position)
}

function sizeField(size: number): Buffer {
  const field = Buffer.alloc(4)
  field.writeUInt32LE(size)
  return field
}
