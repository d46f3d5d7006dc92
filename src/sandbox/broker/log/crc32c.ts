/** CRC-32C (Castagnoli), which guards record batches: the native one when its package is there, ten times faster. */
import {createRequire} from 'node:module'

type Crc32c = (bytes: Uint8Array) => number

export const crc32c: Crc32c = nativeCrc32c() ?? portableCrc32c()

function nativeCrc32c(): Crc32c | null {
  try {
    const native = createRequire(import.meta.url)('@node-rs/crc32') as {crc32c: Crc32c}
    return (bytes) => native.crc32c(bytes)
  } catch {
    return null
  }
}

export function portableCrc32c(): Crc32c {
  const REVERSED_POLYNOMIAL = 0x82f6_3b78
  const table = Uint32Array.from({length: 256}, (_, byte) => {
    let remainder = byte
    for (let bit = 0; bit < 8; bit++)
      remainder = (remainder >>> 1) ^ (remainder & 1 ? REVERSED_POLYNOMIAL : 0)
    return remainder
  })
  return (bytes) => {
    let crc = 0xffff_ffff
    for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0)
    return (crc ^ 0xffff_ffff) >>> 0
  }
}
