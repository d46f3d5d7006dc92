/**
 * The checksums by which a store verifies a whole object, also one that is sent in parts (FULL_OBJECT): CRCs, since that
 * of the whole follows from those of the parts. S3 writes them in base64, big-endian.
 */
import {
  CRC32,
  CRC32C,
  CRC64NVME,
  type CrcKind,
  crcToBytes,
  type RunningCrc,
  startCrc,
} from '../../core/checksum/index.js'
import {crc32c} from '../system/crc32c.js'

export const CHECKSUM_NAMES = ['CRC32', 'CRC32C', 'CRC64NVME'] as const
export type ChecksumName = (typeof CHECKSUM_NAMES)[number]

/** What is known of the same bytes; in base64. */
export type Checksums = Readonly<Partial<Record<ChecksumName, string>>>

export const CRC_KINDS: Readonly<Record<ChecksumName, CrcKind>> = {CRC32, CRC32C, CRC64NVME}

/** As people write them. */
export const CHECKSUM_TITLES: Readonly<Record<ChecksumName, string>> = {
  CRC32: 'CRC-32',
  CRC32C: 'CRC-32C',
  CRC64NVME: 'CRC-64/NVME',
}

export function checksumOf(name: ChecksumName, bytes: Buffer): string {
  const kind = CRC_KINDS[name]
  const crc = startChecksum(name)
  crc.update(bytes)
  return crcToBytes(kind, crc.value()).toString('base64')
}

/** CRC-32C goes the way of the record batches: natively, where that is installed. */
export function startChecksum(name: ChecksumName): RunningCrc {
  if (name !== 'CRC32C') return startCrc(CRC_KINDS[name])
  let crc = 0
  return {
    update: (bytes) => void (crc = crc32c(bytes, crc)),
    value: () => BigInt(crc),
  }
}

/** One that the same bytes do not have. */
export function wrongChecksum(right: string): string {
  const bytes = Buffer.from(right, 'base64')
  bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0)
  return bytes.toString('base64')
}

/** They do not contradict each other. */
export function agree(a: Checksums, b: Checksums): boolean {
  return CHECKSUM_NAMES.every((name) => a[name] === undefined || b[name] === undefined || a[name] === b[name])
}

export interface ChecksumFields {
  ChecksumCRC32?: string
  ChecksumCRC32C?: string
  ChecksumCRC64NVME?: string
}

const FIELDS: Readonly<Record<ChecksumName, (value: string) => ChecksumFields>> = {
  CRC32: (ChecksumCRC32) => ({ChecksumCRC32}),
  CRC32C: (ChecksumCRC32C) => ({ChecksumCRC32C}),
  CRC64NVME: (ChecksumCRC64NVME) => ({ChecksumCRC64NVME}),
}

/** Of a request. */
export const checksumField = (name: ChecksumName, value: string): ChecksumFields => FIELDS[name](value)

/** Of an answer. */
export function checksumsIn(answer: ChecksumAnswer): Checksums {
  const found = CHECKSUM_NAMES.map((name) => [name, answer[`Checksum${name}`]] as const)
  return Object.fromEntries(found.filter(([, value]) => value !== undefined))
}

type ChecksumAnswer = {readonly [Name in `Checksum${ChecksumName}`]?: string | undefined}
