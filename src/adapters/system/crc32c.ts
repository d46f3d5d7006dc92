/**
 * CRC-32C (Castagnoli): native where the optional package is installed, else by tables, eight bytes at a time.
 * Both answer an unsigned number and go on from an earlier one.
 */
import type {Buffer} from 'node:buffer'
import {createRequire} from 'node:module'

export type Crc32c = (bytes: Buffer, earlier?: number) => number

const POLYNOMIAL = 0x82f63b78

/** `TABLES[k][b]`: what byte b does to the CRC, k bytes before the end of a group of eight. */
const TABLES = makeTables()

function makeTables(): readonly Int32Array[] {
  const first = Int32Array.from({length: 256}, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    return crc
  })
  const tables = [first]
  for (let previous = first; tables.length < 8; tables.push(previous)) {
    previous = previous.map((crc) => (crc >>> 8) ^ (first[crc & 0xff] ?? 0))
  }
  return tables
}

export const crc32cByTables: Crc32c = (bytes, earlier = 0) => {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ]
  // Every index below is within its array; `!` keeps the checks out of the inner loop.
  /* eslint-disable @typescript-eslint/no-non-null-assertion */
  let crc = ~earlier
  let position = 0
  for (const whole = bytes.length - 7; position < whole; position += 8) {
    crc ^=
      bytes[position]! |
      (bytes[position + 1]! << 8) |
      (bytes[position + 2]! << 16) |
      (bytes[position + 3]! << 24)
    crc =
      t7[crc & 0xff]! ^
      t6[(crc >>> 8) & 0xff]! ^
      t5[(crc >>> 16) & 0xff]! ^
      t4[crc >>> 24]! ^
      t3[bytes[position + 4]!]! ^
      t2[bytes[position + 5]!]! ^
      t1[bytes[position + 6]!]! ^
      t0[bytes[position + 7]!]!
  }
  for (; position < bytes.length; position++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[position]!) & 0xff]!
  /* eslint-enable @typescript-eslint/no-non-null-assertion */
  return ~crc >>> 0
}

function nativeCrc32c(): Crc32c | null {
  try {
    const {crc32c} = createRequire(import.meta.url)('@node-rs/crc32') as {
      crc32c: (input: Buffer, initial?: number) => number
    }
    return (bytes, earlier) => crc32c(bytes, earlier) >>> 0
  } catch {
    return null // an optional dependency, and not for every platform
  }
}

export const crc32c: Crc32c = nativeCrc32c() ?? crc32cByTables
