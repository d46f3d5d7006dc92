/**
 * The CRC of two texts put together, from theirs and the length of the second alone. A CRC is the remainder of a
 * polynomial over GF(2), so n bytes that follow multiply it by x^(8n):
 *
 *     crc(A B) = crc(A) · x^(8 |B|)  +  crc(B)      modulo the polynomial of the CRC
 *
 * (What the register begins and ends with cancels out.)
 */
import type {CrcKind} from './crc.js'

/** @param secondBytes length of the second text */
export function combineCrcs(kind: CrcKind, first: bigint, second: bigint, secondBytes: number): bigint {
  return product(kind, first, powerOfX(kind, secondBytes)) ^ second
}

/** Bit 0 is the coefficient of the highest power, as in the CRC itself: to multiply by x is to shift right. */
function product({bits, polynomial}: CrcKind, factor: bigint, other: bigint): bigint {
  let sum = 0n
  let shifted = other
  for (let bit = BigInt(bits - 1); bit >= 0n; bit -= 1n) {
    if ((factor >> bit) & 1n) sum ^= shifted
    shifted = (shifted >> 1n) ^ (shifted & 1n ? polynomial : 0n)
  }
  return sum
}

/** Parts of a file are all as long, but the last. */
const latest = new Map<CrcKind, {readonly bytes: number; readonly power: bigint}>()

/** x^(8 · bytes) */
function powerOfX(kind: CrcKind, bytes: number): bigint {
  const known = latest.get(kind)
  if (known?.bytes === bytes) return known.power
  let power = 1n << BigInt(kind.bits - 1)
  let square = 1n << BigInt(kind.bits - 9)
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = product(kind, power, square)
    square = product(kind, square, square)
  }
  latest.set(kind, {bytes, power})
  return power
}
