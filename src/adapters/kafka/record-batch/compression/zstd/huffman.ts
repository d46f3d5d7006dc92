/**
 * Huffman-coded literals (RFC 8878, 4.2): a tree told by the weights of its symbols, and streams of bits that are read
 * from their ends.
 */
import type {Buffer} from 'node:buffer'
import {BatchFault} from '../../fault.js'
import {BackwardBits} from './bits.js'
import {FseState, readFseTable} from './fse.js'

/** Indexed by the next `maxBits` bits. */
export interface HuffmanTable {
  readonly maxBits: number
  readonly symbols: Uint8Array
  readonly bitCounts: Uint8Array
}

const MAX_BITS = 11
const MAX_WEIGHTS = 255
const MAX_WEIGHT_ACCURACY_BITS = 6
const MAX_WEIGHT = 12
const DIRECT = 128

/** @returns the table, and how many bytes described it */
export function readHuffmanTable(bytes: Buffer): {table: HuffmanTable; byteLength: number} {
  const header = bytes[0]
  if (header === undefined) throw new BatchFault('zstd: a Huffman tree is cut short')
  const byteLength = 1 + (header < DIRECT ? header : (header - DIRECT + 2) >> 1)
  if (byteLength > bytes.length) throw new BatchFault('zstd: a Huffman tree is cut short')
  const described = bytes.subarray(1, byteLength)
  const weights =
    header < DIRECT ? readCodedWeights(described) : readDirectWeights(described, header - DIRECT + 1)
  return {table: buildTable(weights), byteLength}
}

function readDirectWeights(bytes: Buffer, count: number): number[] {
  return Array.from({length: count}, (_, i) => ((bytes[i >> 1] ?? 0) >> (i % 2 === 0 ? 4 : 0)) & 15)
}

/** Two states take turns until one wants more bits than there are; the other one's symbol is then the last. */
function readCodedWeights(bytes: Buffer): number[] {
  const {table, byteLength} = readFseTable(bytes, MAX_WEIGHT_ACCURACY_BITS, MAX_WEIGHT)
  const bits = new BackwardBits(bytes.subarray(byteLength))
  const weights: number[] = []
  let now = new FseState(table, bits)
  let then = new FseState(table, bits)
  if (bits.left < 0) throw new BatchFault('zstd: the weights of a Huffman tree are cut short')
  while (weights.length < MAX_WEIGHTS) {
    weights.push(now.symbol)
    now.advance(bits)
    if (bits.left < 0) {
      weights.push(then.symbol)
      return weights
    }
    ;[now, then] = [then, now]
  }
  throw new BatchFault('zstd: a Huffman tree of too many symbols')
}

/** The last symbol's weight is not told: it is what makes the tree complete. */
function buildTable(told: readonly number[]): HuffmanTable {
  const sum = told.reduce((total, weight) => total + (weight === 0 ? 0 : 2 ** (weight - 1)), 0)
  if (sum === 0 || told.length > MAX_WEIGHTS) throw new BatchFault('zstd: a Huffman tree without symbols')
  const maxBits = 32 - Math.clz32(sum)
  const missing = 2 ** maxBits - sum
  if (maxBits > MAX_BITS || (missing & (missing - 1)) !== 0)
    throw new BatchFault('zstd: an impossible Huffman tree')
  const weights = [...told, 32 - Math.clz32(missing)]
  const symbols = new Uint8Array(2 ** maxBits)
  const bitCounts = new Uint8Array(2 ** maxBits)
  let position = 0
  for (let weight = 1; weight <= maxBits; weight++) {
    weights.forEach((each, symbol) => {
      if (each !== weight) return
      const end = position + 2 ** (weight - 1)
      symbols.fill(symbol, position, end)
      bitCounts.fill(maxBits + 1 - weight, position, end)
      position = end
    })
  }
  return {maxBits, symbols, bitCounts}
}

/** Fills the target exactly, with exactly the bits that there are. */
export function readHuffmanStream(
  bytes: Buffer,
  {maxBits, symbols, bitCounts}: HuffmanTable,
  target: Buffer,
): void {
  const bits = new BackwardBits(bytes)
  for (let i = 0; i < target.length; i++) {
    const next = bits.peek(maxBits)
    target[i] = symbols[next] ?? 0
    bits.left -= bitCounts[next] ?? 0
  }
  if (bits.left !== 0) throw new BatchFault('zstd: literals that do not fit their bits')
}
