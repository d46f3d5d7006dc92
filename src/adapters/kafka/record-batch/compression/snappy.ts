/**
 * Snappy (https://github.com/google/snappy/blob/main/format_description.txt), plain as librdkafka writes it and in
 * the blocks of snappy-java:
 *
 *   82 "SNAPPY" 00 | int32 version | int32 compatible version | blocks: int32 length, a plain Snappy text
 *
 * A plain text is a varint with the length of what comes out, then elements; the low two bits of the first byte
 * tell a literal from copies with 11, 16 and 32 bits of distance.
 */
import {Buffer} from 'node:buffer'
import {BatchFault} from '../fault.js'
import type {Compress} from './compress.js'
import type {Decompress} from './decompress.js'
import {BLOCK_BYTES, eachRepetition} from './repetitions.js'
import {BoundedOutput} from './output.js'

const BLOCKS_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const BLOCKS_HEADER_BYTES = 16

export const unsnappy: Decompress = (bytes, maxBytes) => {
  const isInBlocks = bytes.length >= BLOCKS_HEADER_BYTES && bytes.subarray(0, 8).equals(BLOCKS_MAGIC)
  if (!isInBlocks) {
    const output = new BoundedOutput(maxBytes, 0)
    readText(bytes, output)
    return output.finish()
  }
  const output = new BoundedOutput(maxBytes, bytes.length)
  let position = BLOCKS_HEADER_BYTES
  while (position < bytes.length) {
    if (position + 4 > bytes.length) throw new BatchFault('snappy: cut short')
    const end = position + 4 + bytes.readUInt32BE(position)
    if (end > bytes.length) throw new BatchFault('snappy: a block is cut short')
    readText(bytes.subarray(position + 4, end), output)
    position = end
  }
  return output.finish()
}

function readText(bytes: Buffer, output: BoundedOutput): void {
  const floor = output.length
  let position = 0
  const unsigned = (byteLength: number): number => {
    if (position + byteLength > bytes.length) throw new BatchFault('snappy: cut short')
    const value = byteLength === 0 ? 0 : bytes.readUIntLE(position, byteLength)
    position += byteLength
    return value
  }
  const varint = (): number => {
    let value = 0
    for (let weight = 1; weight < 2 ** 32; weight *= 128) {
      const byte = unsigned(1)
      value += (byte & 0x7f) * weight
      if (byte < 0x80) return value
    }
    throw new BatchFault('snappy: its length has more than 32 bits')
  }
  const textBytes = varint()
  while (position < bytes.length) {
    const tag = unsigned(1)
    switch (tag & 3) {
      case 0: {
        const short = tag >> 2 // 60 to 63: the length is in the next 1 to 4 bytes
        const literalBytes = (short < 60 ? short : unsigned(short - 59)) + 1
        if (position + literalBytes > bytes.length) throw new BatchFault('snappy: a literal is cut short')
        output.append(bytes, position, position + literalBytes)
        position += literalBytes
        break
      }
      case 1:
        output.repeat(((tag >> 5) << 8) | unsigned(1), 4 + ((tag >> 2) & 7), floor)
        break
      case 2:
        output.repeat(unsigned(2), 1 + (tag >> 2), floor)
        break
      default:
        output.repeat(unsigned(4), 1 + (tag >> 2), floor)
    }
    if (output.length - floor > textBytes) throw new BatchFault('snappy: more bytes than it announced')
  }
  if (output.length - floor !== textBytes) throw new BatchFault('snappy: fewer bytes than it announced')
}

/** In blocks, as snappy-java has them: that is what the Java client writes, and all readers know. */
export const snappy: Compress = (bytes) => {
  const header = Buffer.alloc(BLOCKS_HEADER_BYTES)
  BLOCKS_MAGIC.copy(header)
  header.writeInt32BE(1, 8)
  header.writeInt32BE(1, 12)
  const pieces: Buffer[] = [header]
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const text = writeText(bytes.subarray(start, start + BLOCK_BYTES))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(text.length)
    pieces.push(length, text)
  }
  return Buffer.concat(pieces)
}

const LONGEST_COPY = 64

/** Of a block: so that no length takes more than two bytes, and no distance either. */
function writeText(block: Buffer): Buffer {
  // Its length, and three bytes more for each literal, of which none but the last comes without a copy of four bytes.
  const text = Buffer.allocUnsafe(32 + block.length + Math.ceil(block.length / 4) * 3)
  let position = 0
  for (let rest = block.length; ; rest >>>= 7) {
    text[position++] = rest < 0x80 ? rest : (rest & 0x7f) | 0x80
    if (rest < 0x80) break
  }
  const literal = (from: number, to: number) => {
    const length = to - from
    if (length === 0) return
    if (length <= 60) text[position++] = (length - 1) << 2
    else if (length <= 256) {
      text[position++] = 60 << 2
      text[position++] = length - 1
    } else {
      text[position++] = 61 << 2
      position = text.writeUInt16LE(length - 1, position)
    }
    position += block.copy(text, position, from, to)
  }
  const rest = eachRepetition(block, (literalsFrom, at, distance, length) => {
    literal(literalsFrom, at)
    for (let left = length; left > 0; left -= LONGEST_COPY) {
      text[position++] = ((Math.min(left, LONGEST_COPY) - 1) << 2) | 2
      position = text.writeUInt16LE(distance, position)
    }
  })
  literal(rest, block.length)
  return text.subarray(0, position)
}
