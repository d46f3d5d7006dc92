/** The checksums that a client may send along, in header or trailer `x-amz-checksum-<name>`, in base64. */
import {createHash} from 'node:crypto'
import {CRC32, CRC32C, CRC64NVME, type CrcKind, crcToBytes, startCrc} from '../../../core/checksum/index.js'

export const CHECKSUM_NAMES = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const
export type ChecksumName = (typeof CHECKSUM_NAMES)[number]

/** In base64. */
export type Checksums = Partial<Record<ChecksumName, string>>

/**
 * What the checksum of an object of several parts is of: FULL_OBJECT, of all bytes; COMPOSITE, of the checksums of the
 * parts, with `-<parts>` after it.
 */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'

export interface ChecksumKind {
  readonly bytes: number
  /** Null for what cannot be combined, and so has no FULL_OBJECT form for several parts. */
  readonly crc: CrcKind | null
  /** The first is what is taken when none is asked for. */
  readonly types: readonly [ChecksumType, ...ChecksumType[]]
}

export const CHECKSUMS: Readonly<Record<ChecksumName, ChecksumKind>> = {
  CRC32: {bytes: 4, crc: CRC32, types: ['COMPOSITE', 'FULL_OBJECT']},
  CRC32C: {bytes: 4, crc: CRC32C, types: ['COMPOSITE', 'FULL_OBJECT']},
  CRC64NVME: {bytes: 8, crc: CRC64NVME, types: ['FULL_OBJECT']},
  SHA1: {bytes: 20, crc: null, types: ['COMPOSITE']},
  SHA256: {bytes: 32, crc: null, types: ['COMPOSITE']},
}

/** What the store computes by itself when the client sends none. */
export const DEFAULT_CHECKSUM: ChecksumName = 'CRC64NVME'

export const checksumHeader = (name: ChecksumName) => `x-amz-checksum-${name.toLowerCase()}`

export interface RunningDigest {
  update(bytes: Buffer): unknown
  digest(): Buffer
}

export function startChecksum(name: ChecksumName): RunningDigest {
  const {crc} = CHECKSUMS[name]
  if (crc === null) return createHash(name.toLowerCase())
  const running = startCrc(crc)
  return {
    update: (bytes) => running.update(bytes),
    digest: () => crcToBytes(crc, running.value()),
  }
}

export function checksumOf(name: ChecksumName, bytes: Buffer): Buffer {
  const digest = startChecksum(name)
  digest.update(bytes)
  return digest.digest()
}

/** Null when it is not the base64 of as many bytes as such a checksum has. */
export function parseChecksum(name: ChecksumName, text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === CHECKSUMS[name].bytes && bytes.toString('base64') === text ? bytes : null
}

export const isChecksumName = (text: string): text is ChecksumName =>
  (CHECKSUM_NAMES as readonly string[]).includes(text)
