/**
 * Finds what a block repeats, greedily: a table remembers where each four bytes were seen last, and where they come
 * again, as many bytes more as are the same are taken. Where nothing repeats it looks ever less often. For the codecs
 * that write literals and copies (LZ4, Snappy).
 */
import type {Buffer} from 'node:buffer'

/** Of so much at most, so that a distance has 16 bits. */
export const BLOCK_BYTES = 64 * 1024

const TABLE_BITS = 14
const SHORTEST = 4
/** LZ4 wants the end of a block as literals: a copy must not begin in the last 12 bytes, nor reach into the last 5. */
const NO_START_BYTES = 12
const NO_REACH_BYTES = 5
const MISSES_PER_STRIDE = 64
/** 2^32 divided by the golden ratio: spreads neighbours over the table. */
const SPREAD = 0x9e3779b1

/** What lies between the end of the last repetition and `at` is said as it is; then `length` bytes of `distance` before. */
export type OnRepetition = (literalsFrom: number, at: number, distance: number, length: number) => void

/** @returns where the literals begin that are left */
export function eachRepetition(block: Buffer, onRepetition: OnRepetition): number {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  const lastSeen = new Int32Array(1 << TABLE_BITS).fill(-1)
  const lastStart = block.length - NO_START_BYTES
  const end = block.length - NO_REACH_BYTES
  let literalsFrom = 0
  let misses = 0
  for (let at = 0; at <= lastStart;) {
    const four = view.getInt32(at, true)
    const slot = Math.imul(four, SPREAD) >>> (32 - TABLE_BITS)
    const before = lastSeen[slot] ?? -1
    lastSeen[slot] = at
    if (before < 0 || view.getInt32(before, true) !== four) {
      at += 1 + Math.floor(misses++ / MISSES_PER_STRIDE)
      continue
    }
    let length = SHORTEST
    while (at + length < end && view.getUint8(before + length) === view.getUint8(at + length)) length += 1
    onRepetition(literalsFrom, at, at - before, length)
    at += length
    literalsFrom = at
    misses = 0
  }
  return literalsFrom
}
