/** CRC-32 as S3 writes it: base64 of 4 bytes, big-endian. */
import {crc32} from 'node:zlib'

export function crcText(crc: number): string {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(crc >>> 0)
  return bytes.toString('base64')
}

export function crcTextOf(data: Buffer): string {
  return crcText(crc32(data))
}
