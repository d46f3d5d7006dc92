/**
 * The sequences of a block (RFC 8878, 3.1.1.3.2): how many literals to take, then how much to repeat from how far
 * back. Each of the three numbers is a code, by a table of its own, and extra bits.
 *
 *   count (1 to 3 bytes) | table modes (literal lengths bits 6–7, offsets 4–5, match lengths 2–3) | tables | bit stream
 */
import type {Buffer} from 'node:buffer'
import {BatchFault} from '../../fault.js'
import {BackwardBits} from './bits.js'
import {FseState, buildFseTable, constantTable, readFseTable} from './fse.js'
import type {FseTable} from './fse.js'

export interface SequenceTables {
  readonly literalLengths: FseTable
  readonly offsets: FseTable
  readonly matchLengths: FseTable
}

interface CodeKind {
  readonly maxAccuracyBits: number
  readonly maxCode: number
  readonly predefined: FseTable
}

const RARE_4 = [-1, -1, -1, -1]
const ones = (count: number): number[] => Array<number>(count).fill(1)
const twos = (count: number): number[] => Array<number>(count).fill(2)

const LITERAL_LENGTHS: CodeKind = {
  maxAccuracyBits: 9,
  maxCode: 35,
  predefined: buildFseTable([4, 3, ...twos(11), 1, 1, 1, ...twos(9), 3, 2, ...ones(5), ...RARE_4], 6),
}
const OFFSETS: CodeKind = {
  maxAccuracyBits: 8,
  maxCode: 31,
  predefined: buildFseTable([...ones(6), 2, 2, 2, ...ones(15), -1, ...RARE_4], 5),
}
const MATCH_LENGTHS: CodeKind = {
  maxAccuracyBits: 9,
  maxCode: 52,
  predefined: buildFseTable([1, 4, 3, ...twos(6), ...ones(37), -1, -1, -1, ...RARE_4], 6),
}

/** What a code begins at, and how many extra bits it has: zeros up to some code, then these. */
const LITERAL_LENGTH_BITS = [
  ...Array<number>(16).fill(0),
  1,
  1,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  6,
  7,
  8,
  9,
  10,
  11,
  12,
  13,
  14,
  15,
  16,
]
const MATCH_LENGTH_BITS = [
  ...Array<number>(32).fill(0),
  1,
  1,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  4,
  5,
  7,
  8,
  9,
  10,
  11,
  12,
  13,
  14,
  15,
  16,
]
const LITERAL_LENGTH_BASES = basesOf(LITERAL_LENGTH_BITS, 0)
const MATCH_LENGTH_BASES = basesOf(MATCH_LENGTH_BITS, 3)
/** Farther back than any window that is accepted. */
const MAX_OFFSET_CODE = 30

function basesOf(bitCounts: readonly number[], first: number): number[] {
  let base = first
  return bitCounts.map((bitCount) => (base += 2 ** bitCount) - 2 ** bitCount)
}

export interface Sequence {
  readonly literalLength: number
  /** 1 to 3 mean offsets used before; larger ones are three more than the offset. */
  readonly offsetValue: number
  readonly matchLength: number
}

/** @returns the tables, for the next block that repeats them */
export function readSequences(
  bytes: Buffer,
  earlier: SequenceTables | null,
  each: (sequence: Sequence) => void,
): SequenceTables | null {
  const {count, headerBytes} = readCount(bytes)
  if (count === 0) {
    if (bytes.length !== headerBytes) throw new BatchFault('zstd: bytes behind a block without sequences')
    return earlier
  }
  const modes = bytes[headerBytes]
  if (modes === undefined || (modes & 3) !== 0) throw new BatchFault('zstd: sequences without tables')
  let position = headerBytes + 1
  const tableFor = (kind: CodeKind, mode: number, before: FseTable | undefined): FseTable => {
    const {table, byteLength} = readTable(bytes.subarray(position), kind, mode, before)
    position += byteLength
    return table
  }
  const tables = {
    literalLengths: tableFor(LITERAL_LENGTHS, modes >> 6, earlier?.literalLengths),
    offsets: tableFor(OFFSETS, (modes >> 4) & 3, earlier?.offsets),
    matchLengths: tableFor(MATCH_LENGTHS, (modes >> 2) & 3, earlier?.matchLengths),
  }
  readStream(new BackwardBits(bytes.subarray(position)), tables, count, each)
  return tables
}

function readCount(bytes: Buffer): {count: number; headerBytes: number} {
  const [first, second = 0, third = 0] = bytes
  if (first === undefined) throw new BatchFault('zstd: a block without a count of sequences')
  if (first < 128) return {count: first, headerBytes: 1}
  if (first < 255) return {count: ((first - 128) << 8) + second, headerBytes: 2}
  return {count: second + (third << 8) + 0x7f00, headerBytes: 3}
}

function readTable(
  bytes: Buffer,
  kind: CodeKind,
  mode: number,
  before: FseTable | undefined,
): {table: FseTable; byteLength: number} {
  switch (mode) {
    case 0:
      return {table: kind.predefined, byteLength: 0}
    case 1: {
      const code = bytes[0]
      if (code === undefined || code > kind.maxCode)
        throw new BatchFault(`zstd: a code ${code ?? 'that is missing'}`)
      return {table: constantTable(code), byteLength: 1}
    }
    case 2:
      return readFseTable(bytes, kind.maxAccuracyBits, kind.maxCode)
    default:
      if (before === undefined)
        throw new BatchFault('zstd: sequences that repeat a table, and none came before')
      return {table: before, byteLength: 0}
  }
}

function readStream(
  bits: BackwardBits,
  tables: SequenceTables,
  count: number,
  each: (sequence: Sequence) => void,
): void {
  const literalLengths = new FseState(tables.literalLengths, bits)
  const offsets = new FseState(tables.offsets, bits)
  const matchLengths = new FseState(tables.matchLengths, bits)
  for (let left = count; left > 0; left--) {
    const [offsetCode, matchCode, literalCode] = [offsets.symbol, matchLengths.symbol, literalLengths.symbol]
    if (offsetCode > MAX_OFFSET_CODE) throw new BatchFault('zstd: a repeat from too far back')
    const offsetValue = 2 ** offsetCode + bits.read(offsetCode)
    const matchLength = (MATCH_LENGTH_BASES[matchCode] ?? 0) + bits.read(MATCH_LENGTH_BITS[matchCode] ?? 0)
    const literalLength =
      (LITERAL_LENGTH_BASES[literalCode] ?? 0) + bits.read(LITERAL_LENGTH_BITS[literalCode] ?? 0)
    if (left > 1) {
      literalLengths.advance(bits)
      matchLengths.advance(bits)
      offsets.advance(bits)
    }
    if (bits.left < 0) throw new BatchFault('zstd: sequences are cut short')
    each({literalLength, offsetValue, matchLength})
  }
  if (bits.left !== 0) throw new BatchFault('zstd: bits behind the last sequence')
}
