/** SHA-512 and CRC-32 of a file, in one sequential pass over its bytes. */
import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'

export class FileDigest {
  private readonly sha512 = createHash('sha512')
  private crc = 0
  private bytes = 0

  update(data: Buffer): void {
    this.sha512.update(data)
    this.crc = crc32(data, this.crc)
    this.bytes += data.length
  }

  /** Of what it was given until now. */
  get crc32(): number {
    return this.crc
  }

  finish(): {readonly sha512: Buffer; readonly crc32: Buffer; readonly sizeBytes: number} {
    const crc = Buffer.alloc(4)
    crc.writeUInt32BE(this.crc)
    return {sha512: this.sha512.digest(), crc32: crc, sizeBytes: this.bytes}
  }
}
