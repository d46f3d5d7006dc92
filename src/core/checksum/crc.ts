/**
 * The CRCs by which object stores verify what they are sent. All are reflected, and their register begins and ends
 * inverted. CRC-32 is Node's own. The others take eight bytes a step through tables (slicing-by-8), with the register in
 * two halves of 32 bits, because BigInt is slow:
 *
 *     eight bytes ^ register = b0 b1 b2 b3 b4 b5 b6 b7,  register = T[0][b0] ^ T[1][b1] ^ … ^ T[7][b7]
 *
 * where T[k][b] is what byte b followed by 7 - k zero bytes makes of an empty register.
 */
import {crc32} from 'node:zlib'

export interface CrcKind {
  readonly bits: 32 | 64
  /** Reversed: the highest bit is the coefficient of x^0. */
  readonly polynomial: bigint
}

export const CRC32: CrcKind = {bits: 32, polynomial: 0xedb8_8320n}
export const CRC32C: CrcKind = {bits: 32, polynomial: 0x82f6_3b78n}
export const CRC64NVME: CrcKind = {bits: 64, polynomial: 0x9a6c_9329_ac4b_c9b5n}

export interface RunningCrc {
  update(bytes: Buffer): void
  value(): bigint
}

export function startCrc(kind: CrcKind): RunningCrc {
  return kind === CRC32 ? new NativeCrc32() : new TableCrc(kind)
}

/** The CRC as it is written down, big-endian. */
export function crcToBytes({bits}: CrcKind, value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes.subarray(8 - bits / 8)
}

class NativeCrc32 implements RunningCrc {
  private crc = 0

  update(bytes: Buffer): void {
    // Of no bytes at all it may answer 0, whatever was before them.
    if (bytes.length > 0) this.crc = crc32(bytes, this.crc)
  }

  value(): bigint {
    return BigInt(this.crc)
  }
}

class TableCrc implements RunningCrc {
  private readonly table: Int32Array
  private low = -1
  private high: number

  constructor(private readonly kind: CrcKind) {
    this.table = tableOf(kind)
    this.high = kind.bits === 64 ? -1 : 0
  }

  update(bytes: Buffer): void {
    // Words are read where they are aligned, as most buffers are.
    const head = Math.min(bytes.length, -bytes.byteOffset & 3)
    const pairs = (bytes.length - head) >>> 3
    this.updateByByte(bytes, 0, head)
    if (pairs > 0) this.updateByPairs(new Int32Array(bytes.buffer, bytes.byteOffset + head, 2 * pairs))
    this.updateByByte(bytes, head + 8 * pairs, bytes.length)
  }

  value(): bigint {
    const low = BigInt(~this.low >>> 0)
    return this.kind.bits === 32 ? low : (BigInt(~this.high >>> 0) << 32n) | low
  }

  // Every index is within its array; `!` keeps checks out of the inner loops.
  /* eslint-disable @typescript-eslint/no-non-null-assertion */
  private updateByPairs(words: Int32Array): void {
    const {table: t} = this
    let {low, high} = this
    for (let at = 0; at < words.length; at += 2) {
      const a = low ^ words[at]!
      const b = high ^ words[at + 1]!
      const i0 = (a & 0xff) << 1
      const i1 = ((a >>> 7) & 0x1fe) | 0x200
      const i2 = ((a >>> 15) & 0x1fe) | 0x400
      const i3 = ((a >>> 23) & 0x1fe) | 0x600
      const i4 = ((b & 0xff) << 1) | 0x800
      const i5 = ((b >>> 7) & 0x1fe) | 0xa00
      const i6 = ((b >>> 15) & 0x1fe) | 0xc00
      const i7 = ((b >>> 23) & 0x1fe) | 0xe00
      low = t[i0]! ^ t[i1]! ^ t[i2]! ^ t[i3]! ^ t[i4]! ^ t[i5]! ^ t[i6]! ^ t[i7]!
      high =
        t[i0 + 1]! ^ t[i1 + 1]! ^ t[i2 + 1]! ^ t[i3 + 1]! ^ t[i4 + 1]! ^ t[i5 + 1]! ^ t[i6 + 1]! ^ t[i7 + 1]!
    }
    this.low = low
    this.high = high
  }

  private updateByByte(bytes: Buffer, from: number, end: number): void {
    const {table: t} = this
    for (let at = from; at < end; at++) {
      const i = 0xe00 | (((this.low ^ bytes[at]!) & 0xff) << 1)
      this.low = ((this.low >>> 8) | (this.high << 24)) ^ t[i]!
      this.high = (this.high >>> 8) ^ t[i + 1]!
    }
  }
  /* eslint-enable @typescript-eslint/no-non-null-assertion */
}

const made = new Map<CrcKind, Int32Array>()

/** T[k][b]: the low half at 512k + 2b, the high one beside it. */
function tableOf(kind: CrcKind): Int32Array {
  const known = made.get(kind)
  if (known !== undefined) return known
  const table = new Int32Array(8 * 256 * 2)
  for (let byte = 0; byte < 256; byte++) {
    let register = BigInt(byte)
    for (let k = 7; k >= 0; k--) {
      for (let bit = 0; bit < 8; bit++) register = (register >> 1n) ^ (register & 1n ? kind.polynomial : 0n)
      table[512 * k + 2 * byte] = Number(BigInt.asIntN(32, register))
      table[512 * k + 2 * byte + 1] = Number(BigInt.asIntN(32, register >> 32n))
    }
  }
  made.set(kind, table)
  return table
}
