/**
 * The id of one upload of one file: a UUID of version 7 (RFC 9562, section 5.7), whose first 48 bits are the time at
 * which the upload began. A reader that meets a late copy of a chunk learns from it how far back the others are.
 */
import {randomBytes} from 'node:crypto'

const VERSION_7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export function newUploadId(nowMs: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(nowMs, 0, 6)
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** When the upload began, in milliseconds since the epoch; null when the id does not tell. */
export function uploadStartMs(uploadId: string): number | null {
  const match = VERSION_7.exec(uploadId)
  return match === null ? null : Number.parseInt(`${match[1]}${match[2]}`, 16)
}
