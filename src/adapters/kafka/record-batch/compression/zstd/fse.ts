/**
 * Finite state entropy (RFC 8878, 4.1): a table of states, each with the symbol it stands for, and how the next state
 * comes of the bits that follow.
 */
import type {Buffer} from 'node:buffer'
import {BatchFault} from '../../fault.js'
import {ForwardBits} from './bits.js'
import type {BackwardBits} from './bits.js'

export interface FseTable {
  readonly accuracyBits: number
  readonly symbols: Uint8Array
  readonly bitCounts: Uint8Array
  readonly baselines: Uint16Array
}

const RARE = -1
const MAX_SYMBOLS = 256

/** @returns the table, and how many bytes described it */
export function readFseTable(
  bytes: Buffer,
  maxAccuracyBits: number,
  maxSymbol: number,
): {table: FseTable; byteLength: number} {
  const bits = new ForwardBits(bytes)
  const accuracyBits = bits.read(4) + 5
  if (accuracyBits > maxAccuracyBits) throw new BatchFault(`zstd: a table of 2^${accuracyBits} states`)
  const counts: number[] = []
  let remaining = 1 << accuracyBits
  while (remaining > 0 && counts.length <= maxSymbol) {
    const count = readCount(bits, remaining)
    remaining -= Math.abs(count)
    counts.push(count)
    if (count === 0) readZeros(bits, counts)
  }
  if (remaining !== 0 || counts.length > maxSymbol + 1)
    throw new BatchFault('zstd: a table whose counts do not add up')
  return {table: buildFseTable(counts, accuracyBits), byteLength: bits.bytesRead}
}

/** A number from 0 to remaining + 1, one less than which is meant; the smaller ones take one bit less. */
function readCount(bits: ForwardBits, remaining: number): number {
  const width = 32 - Math.clz32(remaining + 1)
  const value = bits.read(width)
  const lowMask = (1 << (width - 1)) - 1
  const threshold = (1 << width) - 1 - (remaining + 1)
  if ((value & lowMask) < threshold) {
    bits.back(1)
    return (value & lowMask) - 1
  }
  return (value > lowMask ? value - threshold : value) - 1
}

function readZeros(bits: ForwardBits, counts: number[]): void {
  for (let repeat = 3; repeat === 3;) {
    repeat = bits.read(2)
    for (let i = 0; i < repeat; i++) counts.push(0)
    if (counts.length > MAX_SYMBOLS) throw new BatchFault('zstd: a table of too many symbols')
  }
}

/** Spreads the symbols over the states: rare ones at the end, the others in long strides. */
export function buildFseTable(counts: readonly number[], accuracyBits: number): FseTable {
  const size = 1 << accuracyBits
  const symbols = new Uint8Array(size)
  const nextStates = counts.map((count) => Math.abs(count))
  let rareFrom = size
  counts.forEach((count, symbol) => {
    if (count === RARE) symbols[--rareFrom] = symbol
  })
  const stride = (size >> 1) + (size >> 3) + 3
  let position = 0
  counts.forEach((count, symbol) => {
    for (let i = 0; i < count; i++) {
      symbols[position] = symbol
      do position = (position + stride) & (size - 1)
      while (position >= rareFrom && rareFrom > 0)
    }
  })
  if (position !== 0) throw new BatchFault('zstd: a table whose counts do not add up')
  const bitCounts = new Uint8Array(size)
  const baselines = new Uint16Array(size)
  symbols.forEach((symbol, state) => {
    const next = nextStates[symbol] ?? 0
    nextStates[symbol] = next + 1
    const bitCount = accuracyBits - (31 - Math.clz32(next))
    bitCounts[state] = bitCount
    baselines[state] = (next << bitCount) - size
  })
  return {accuracyBits, symbols, bitCounts, baselines}
}

/** One symbol, without a bit. */
export const constantTable = (symbol: number): FseTable => ({
  accuracyBits: 0,
  symbols: Uint8Array.of(symbol),
  bitCounts: Uint8Array.of(0),
  baselines: Uint16Array.of(0),
})

export class FseState {
  readonly #table: FseTable
  #state: number

  constructor(table: FseTable, bits: BackwardBits) {
    this.#table = table
    this.#state = bits.read(table.accuracyBits)
  }

  get symbol(): number {
    return this.#table.symbols[this.#state] ?? 0
  }

  advance(bits: BackwardBits): void {
    const {baselines, bitCounts} = this.#table
    this.#state = (baselines[this.#state] ?? 0) + bits.read(bitCounts[this.#state] ?? 0)
  }
}
