/**
 * The literals of a block (RFC 8878, 3.1.1.3.1):
 *
 *   bits 0–1 type (0 raw, 1 one byte repeated, 2 Huffman with a tree, 3 Huffman with the tree before) | bits 2–3 size
 *   format | regenerated size | compressed size (Huffman only) | tree (type 2) | jump table and streams, or one stream
 */
import {Buffer} from 'node:buffer'
import {BatchFault} from '../../fault.js'
import {readHuffmanStream, readHuffmanTable} from './huffman.js'
import type {HuffmanTable} from './huffman.js'

/** No block becomes more than this. */
export const MAX_BLOCK_BYTES = 128 * 1024

export interface Literals {
  readonly literals: Buffer
  /** Of the block, with the header. */
  readonly byteLength: number
  /** For the next block that has none of its own. */
  readonly table: HuffmanTable | null
}

const RAW = 0
const REPEATED = 1
const WITH_TREE = 2
const JUMP_TABLE_BYTES = 6

export function readLiterals(block: Buffer, earlierTable: HuffmanTable | null): Literals {
  const type = byteAt(block, 0) & 3
  const format = (byteAt(block, 0) >> 2) & 3
  if (type === RAW || type === REPEATED) return readPlain(block, type, format, earlierTable)

  // 4 bits, then two sizes of 10, 10, 14 or 18 bits
  const sizeBits = format < 2 ? 10 : format === 2 ? 14 : 18
  const headerBytes = (4 + 2 * sizeBits) / 8
  const sizes = Math.floor(unsigned(block, 0, Math.ceil(headerBytes)) / 16)
  const regenerated = sizes % 2 ** sizeBits
  const byteLength = Math.ceil(headerBytes) + (Math.floor(sizes / 2 ** sizeBits) % 2 ** sizeBits)
  if (regenerated > MAX_BLOCK_BYTES) throw new BatchFault(`zstd: ${regenerated} literals in a block`)
  if (byteLength > block.length) throw new BatchFault('zstd: literals are cut short')
  let streams = block.subarray(Math.ceil(headerBytes), byteLength)
  let table = earlierTable
  if (type === WITH_TREE) {
    const described = readHuffmanTable(streams)
    table = described.table
    streams = streams.subarray(described.byteLength)
  }
  if (table === null) throw new BatchFault('zstd: literals that need a tree, and none came before')
  const literals = Buffer.allocUnsafe(regenerated)
  if (format === 0) readHuffmanStream(streams, table, literals)
  else readFourStreams(streams, table, literals)
  return {literals, byteLength, table}
}

function readPlain(block: Buffer, type: number, format: number, table: HuffmanTable | null): Literals {
  const headerBytes = format === 1 ? 2 : format === 3 ? 3 : 1
  const size = unsigned(block, 0, headerBytes) >> (headerBytes === 1 ? 3 : 4)
  const byteLength = headerBytes + (type === RAW ? size : 1)
  if (size > MAX_BLOCK_BYTES) throw new BatchFault(`zstd: ${size} literals in a block`)
  if (byteLength > block.length) throw new BatchFault('zstd: literals are cut short')
  const literals =
    type === RAW
      ? block.subarray(headerBytes, byteLength)
      : Buffer.alloc(size, block.subarray(headerBytes, byteLength))
  return {literals, byteLength, table}
}

/** Each makes a quarter, rounded up; the jump table tells the sizes of the first three. */
function readFourStreams(bytes: Buffer, table: HuffmanTable, literals: Buffer): void {
  if (bytes.length < JUMP_TABLE_BYTES) throw new BatchFault('zstd: literals are cut short')
  const quarter = (literals.length + 3) >> 2
  let start = JUMP_TABLE_BYTES
  for (let i = 0; i < 4; i++) {
    const end = i < 3 ? start + bytes.readUInt16LE(2 * i) : bytes.length
    if (end > bytes.length || (i < 3 && quarter * (i + 1) > literals.length)) {
      throw new BatchFault('zstd: four streams that do not fit')
    }
    const target = literals.subarray(quarter * i, i < 3 ? quarter * (i + 1) : literals.length)
    readHuffmanStream(bytes.subarray(start, end), table, target)
    start = end
  }
}

function unsigned(bytes: Buffer, position: number, byteLength: number): number {
  if (position + byteLength > bytes.length) throw new BatchFault('zstd: a block is cut short')
  return bytes.readUIntLE(position, byteLength)
}

function byteAt(bytes: Buffer, position: number): number {
  return unsigned(bytes, position, 1)
}
