/**
 * The CRC of two texts put together, from theirs and the length of the second alone. A CRC is a remainder modulo the
 * polynomial P, so appending n bytes multiplies the first one's by x^(8n) mod P.
 */
import type {CrcKind} from './crc.js'

/** @param bytes length of the second text */
export function combineCrcs(kind: CrcKind, first: bigint, second: bigint, bytes: number): bigint {
  return multiply(kind, powerOfX(kind, bytes), first) ^ second
}

/** a·b mod P; both reversed, as P is. */
function multiply({bits, polynomial}: CrcKind, a: bigint, b: bigint): bigint {
  let product = 0n
  for (let bit = 1n << BigInt(bits - 1); bit !== 0n; bit >>= 1n) {
    if (a & bit) product ^= b
    b = b & 1n ? (b >> 1n) ^ polynomial : b >> 1n
  }
  return product
}

/** Most parts of an upload have the same length. */
let latest: {readonly kind: CrcKind; readonly bytes: number; readonly power: bigint} | undefined

/** x^(8·bytes) mod P, by repeated squaring. */
function powerOfX(kind: CrcKind, bytes: number): bigint {
  if (latest?.kind === kind && latest.bytes === bytes) return latest.power
  const one = 1n << BigInt(kind.bits - 1)
  let power = one
  let square = one >> 8n // x^8: a byte
  for (let left = BigInt(bytes); left > 0n; left >>= 1n) {
    if (left & 1n) power = multiply(kind, square, power)
    square = multiply(kind, square, square)
  }
  latest = {kind, bytes, power}
  return power
}
