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
import type {Decompress} from './decompress.js'
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
