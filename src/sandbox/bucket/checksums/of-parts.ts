/** The checksum of an object, from those of its parts. */
import {combineCrcs, crcToBytes} from '../../../core/checksum/index.js'
import {CHECKSUMS, checksumOf, type ChecksumName, type ChecksumType} from './algorithms.js'

export interface PartChecksum {
  readonly size: number
  /** In base64. */
  readonly checksum: string
}

export function checksumOfParts(
  name: ChecksumName,
  type: ChecksumType,
  parts: readonly PartChecksum[],
): string {
  return type === 'COMPOSITE' ? composite(name, parts) : fullObject(name, parts)
}

function composite(name: ChecksumName, parts: readonly PartChecksum[]): string {
  const checksums = Buffer.concat(parts.map(({checksum}) => Buffer.from(checksum, 'base64')))
  return `${checksumOf(name, checksums).toString('base64')}-${parts.length}`
}

function fullObject(name: ChecksumName, parts: readonly PartChecksum[]): string {
  const {crc} = CHECKSUMS[name]
  if (crc === null) throw new Error(`${name} of parts cannot be combined`)
  let combined = 0n
  for (const {size, checksum} of parts) combined = combineCrcs(crc, combined, crcOfText(checksum), size)
  return crcToBytes(crc, combined).toString('base64')
}

const crcOfText = (base64: string): bigint => BigInt(`0x${Buffer.from(base64, 'base64').toString('hex')}`)
