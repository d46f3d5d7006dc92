/**
 * The CRCs that S3 knows. All are reflected, and their register begins and ends inverted. CRC-32 is Node's own; the
 * others go eight bytes a step through tables (slicing-by-8), with the register in two halves of 32 bits.
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

class NativeCrc32 implements RunningCrc {
  #crc = 0

  update(bytes: Buffer): void {
    // Of no bytes at all it may answer 0, whatever was before them.
    if (bytes.length > 0) this.#crc = crc32(bytes, this.#crc)
  }

  value(): bigint {
    return BigInt(this.#crc)
  }
}

/** `low` and `high` hold, at 256·k + b, the halves of what byte b followed by k zero bytes makes of the register. */
interface Tables {
  readonly low: Int32Array
  readonly high: Int32Array
}

class TableCrc implements RunningCrc {
  readonly #bits: number
  readonly #tables: Tables
  #low = -1
  #high: number

  constructor(kind: CrcKind) {
    this.#bits = kind.bits
    this.#tables = tablesOf(kind)
    this.#high = kind.bits === 64 ? -1 : 0
  }

  update(bytes: Buffer): void {
    const {low: lowTable, high: highTable} = this.#tables
    const lookUp = (table: Int32Array, index: number) => table[index] as number
    let low = this.#low
    let high = this.#high
    let at = 0
    for (const end = bytes.length - 7; at < end; at += 8) {
      const a = low ^ bytes.readInt32LE(at)
      const b = high ^ bytes.readInt32LE(at + 4)
      const i7 = 1792 + (a & 255)
      const i6 = 1536 + ((a >>> 8) & 255)
      const i5 = 1280 + ((a >>> 16) & 255)
      const i4 = 1024 + (a >>> 24)
      const i3 = 768 + (b & 255)
      const i2 = 512 + ((b >>> 8) & 255)
      const i1 = 256 + ((b >>> 16) & 255)
      const i0 = b >>> 24
      low =
        lookUp(lowTable, i7) ^
        lookUp(lowTable, i6) ^
        lookUp(lowTable, i5) ^
        lookUp(lowTable, i4) ^
        lookUp(lowTable, i3) ^
        lookUp(lowTable, i2) ^
        lookUp(lowTable, i1) ^
        lookUp(lowTable, i0)
      high =
        lookUp(highTable, i7) ^
        lookUp(highTable, i6) ^
        lookUp(highTable, i5) ^
        lookUp(highTable, i4) ^
        lookUp(highTable, i3) ^
        lookUp(highTable, i2) ^
        lookUp(highTable, i1) ^
        lookUp(highTable, i0)
    }
    for (; at < bytes.length; at++) {
      const index = (low ^ bytes.readUInt8(at)) & 255
      low = ((low >>> 8) | (high << 24)) ^ lookUp(lowTable, index)
      high = (high >>> 8) ^ lookUp(highTable, index)
    }
    this.#low = low
    this.#high = high
  }

  value(): bigint {
    const low = BigInt(~this.#low >>> 0)
    return this.#bits === 32 ? low : (BigInt(~this.#high >>> 0) << 32n) | low
  }
}

const made = new Map<CrcKind, Tables>()

function tablesOf(kind: CrcKind): Tables {
  let tables = made.get(kind)
  if (tables === undefined) made.set(kind, (tables = makeTables(kind)))
  return tables
}

function makeTables({polynomial}: CrcKind): Tables {
  const low = new Int32Array(8 * 256)
  const high = new Int32Array(8 * 256)
  const afterZeroByte = (register: bigint) => {
    for (let bit = 0; bit < 8; bit++) register = (register >> 1n) ^ (register & 1n ? polynomial : 0n)
    return register
  }
  for (let byte = 0; byte < 256; byte++) {
    let register = BigInt(byte)
    for (let zeros = 0; zeros < 8; zeros++) {
      register = afterZeroByte(register)
      low[zeros * 256 + byte] = Number(register & 0xffff_ffffn)
      high[zeros * 256 + byte] = Number(register >> 32n)
    }
  }
  return {low, high}
}
