/**
 * Checksums of a file that is read in order, in one pass: of the part that is being filled, and of the whole, which
 * follows from those of the parts.
 */
import {createHash} from 'node:crypto'
import {
  combineCrcs,
  CRC32,
  type CrcKind,
  crcToBytes,
  type RunningCrc,
  startCrc,
} from '../../core/checksum/index.js'
import {StreamtoolError} from '../../core/errors.js'
import type {IncomingFile} from '../../core/ports/index.js'
import {type ChecksumName, type Checksums, CRC_KINDS, startChecksum} from './checksum.js'

export class WrittenChecksums {
  private readonly kind: CrcKind
  private part: RunningCrc
  private partBytes = 0
  /** The parts that have ended. */
  private before = {crc: 0n, bytes: 0}
  /** Uploaders record a CRC-32, whatever the store verifies. */
  private readonly crc32: RunningCrc | null
  private readonly hash

  constructor(
    private readonly name: ChecksumName,
    {withSha256 = false} = {},
  ) {
    this.kind = CRC_KINDS[name]
    this.part = startChecksum(name)
    this.crc32 = this.kind === CRC32 ? null : startCrc(CRC32)
    this.hash = withSha256 ? createHash('sha256') : null
  }

  update(data: Buffer): void {
    this.part.update(data)
    this.partBytes += data.length
    this.crc32?.update(data)
    this.hash?.update(data)
  }

  /** Of the part; the next one begins. */
  endPart(): string {
    const text = textOf(this.kind, this.part.value())
    this.before = {crc: this.wholeCrc(), bytes: this.before.bytes + this.partBytes}
    this.part = startChecksum(this.name)
    this.partBytes = 0
    return text
  }

  /** Of everything until now. */
  whole(): string {
    return textOf(this.kind, this.wholeCrc())
  }

  /** Every one of everything until now. */
  all(): Checksums & {readonly CRC32: string} {
    const whole = this.whole()
    return {[this.name]: whole, CRC32: this.crc32 === null ? whole : textOf(CRC32, this.crc32.value())}
  }

  /** Of everything until now, hexadecimal; null when it was not asked for. */
  sha256(): string | null {
    return this.hash?.copy().digest('hex') ?? null
  }

  /**
   * To be called when the file is whole: it must be what its uploader said that it is.
   * @throws FILE_CRC_MISMATCH
   */
  requireAsRecorded({path, topic, crc32, metadata}: IncomingFile): void {
    const mismatch = (says: string) =>
      new StreamtoolError('FILE_CRC_MISMATCH', `${path} ${says}: it is not delivered.`, {
        facts: {path, topic},
        suggestions: ['Upload the file again; look at the memory of both machines.'],
      })
    if (crc32 !== null && crc32.toString('base64') !== this.all().CRC32)
      throw mismatch('has the SHA-512 that its uploader recorded, but not its CRC-32')
    const [sha256, said] = [this.sha256(), metadata['sha256']?.toLowerCase()]
    if (sha256 === null || said === undefined || !/^[0-9a-f]{64}$/.test(said) || said === sha256) return
    throw mismatch('has the SHA-512 that its uploader recorded, but not the SHA-256 in its metadata')
  }

  private wholeCrc(): bigint {
    const {before, part, partBytes, kind} = this
    if (before.bytes === 0) return part.value()
    return partBytes === 0 ? before.crc : combineCrcs(kind, before.crc, part.value(), partBytes)
  }
}

const textOf = (kind: CrcKind, crc: bigint): string => crcToBytes(kind, crc).toString('base64')
