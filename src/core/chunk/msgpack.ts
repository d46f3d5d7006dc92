/**
 * As much of MessagePack as a chunk needs (https://github.com/msgpack/msgpack/blob/master/spec.md), with the
 * encodings that OpenMSIStream writes: the smallest integer, str for text, bin for bytes, float64 for times.
 */
import type {PoisonCode} from './poison.js'

/** Internal to the decoder; becomes a Poison at its edge. */
export class MalformedValue extends Error {
  constructor(
    readonly code: PoisonCode,
    readonly particulars: string,
  ) {
    super(particulars)
  }
}

export class MsgpackReader {
  private position = 0

  constructor(private readonly bytes: Buffer) {}

  get remaining(): number {
    return this.bytes.length - this.position
  }

  /** @returns the number of elements; nothing is allocated for them */
  arrayHeader(): number {
    if (this.remaining === 0) throw new MalformedValue('NOT_MSGPACK', 'the value is empty')
    const marker = this.take(1).readUInt8()
    if ((marker & 0xf0) === 0x90) return marker & 0x0f
    if (marker === 0xdc) return this.take(2).readUInt16BE()
    if (marker === 0xdd) return this.take(4).readUInt32BE()
    throw new MalformedValue('NOT_MSGPACK', `it begins with byte 0x${marker.toString(16).padStart(2, '0')}`)
  }

  /** A view of a str or bin element: OpenMSIStream accepts either for either. */
  bytesOrText(field: string): Buffer {
    const marker = this.take(1).readUInt8()
    if ((marker & 0xe0) === 0xa0) return this.take(marker & 0x1f)
    switch (marker) {
      case 0xc4:
      case 0xd9:
        return this.take(this.take(1).readUInt8())
      case 0xc5:
      case 0xda:
        return this.take(this.take(2).readUInt16BE())
      case 0xc6:
      case 0xdb:
        return this.take(this.take(4).readUInt32BE())
      default:
        throw new MalformedValue('WRONG_TYPE', `${field} is not text or bytes`)
    }
  }

  /** A non-negative integer that a JavaScript number holds exactly. */
  integer(field: string): number {
    const marker = this.take(1).readUInt8()
    if (marker <= 0x7f) return marker
    switch (marker) {
      case 0xcc:
        return this.take(1).readUInt8()
      case 0xcd:
        return this.take(2).readUInt16BE()
      case 0xce:
        return this.take(4).readUInt32BE()
      case 0xcf:
        return safeNatural(this.take(8).readBigUInt64BE(), field)
      case 0xd0:
        return safeNatural(BigInt(this.take(1).readInt8()), field)
      case 0xd1:
        return safeNatural(BigInt(this.take(2).readInt16BE()), field)
      case 0xd2:
        return safeNatural(BigInt(this.take(4).readInt32BE()), field)
      case 0xd3:
        return safeNatural(this.take(8).readBigInt64BE(), field)
      default:
        if (marker >= 0xe0) throw new MalformedValue('BAD_RANGE', `${field} is negative`)
        throw new MalformedValue('WRONG_TYPE', `${field} is not an integer`)
    }
  }

  float(field: string): number {
    const marker = this.bytes[this.position]
    if (marker === 0xcb) {
      this.position += 1
      return this.take(8).readDoubleBE()
    }
    if (marker === 0xca) {
      this.position += 1
      return this.take(4).readFloatBE()
    }
    return this.integer(field)
  }

  private take(byteLength: number): Buffer {
    if (byteLength > this.remaining) {
      throw new MalformedValue('TRUNCATED', `${byteLength} bytes are announced, ${this.remaining} are left`)
    }
    const start = this.position
    this.position += byteLength
    return this.bytes.subarray(start, this.position)
  }
}

function safeNatural(value: bigint, field: string): number {
  if (value < 0n) throw new MalformedValue('BAD_RANGE', `${field} is negative`)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new MalformedValue('BAD_RANGE', `${field} is too large`)
  return Number(value)
}

/** Writes into one buffer, which whoever makes it has sized for all that will be written. */
export class MsgpackWriter {
  private position = 0
  private readonly bytes: Buffer

  constructor(capacityBytes: number) {
    this.bytes = Buffer.allocUnsafe(capacityBytes)
  }

  arrayHeader(length: number): this {
    this.position = this.bytes.writeUInt8(0x90 | length, this.position)
    return this
  }

  text(value: string): this {
    const byteLength = Buffer.byteLength(value)
    if (byteLength < 32) this.position = this.bytes.writeUInt8(0xa0 | byteLength, this.position)
    else if (byteLength < 0x100) this.marked(0xd9, byteLength, 1)
    else this.marked(0xda, byteLength, 2)
    this.position += this.bytes.write(value, this.position)
    return this
  }

  binary(value: Buffer): this {
    this.binaryHeader(value.length)
    this.position += value.copy(this.bytes, this.position)
    return this
  }

  /** For bytes that follow in a buffer of their own. */
  binaryHeader(byteLength: number): this {
    if (byteLength < 0x100) return this.marked(0xc4, byteLength, 1)
    if (byteLength < 0x10000) return this.marked(0xc5, byteLength, 2)
    return this.marked(0xc6, byteLength, 4)
  }

  integer(value: number): this {
    if (value < 0x80) {
      this.position = this.bytes.writeUInt8(value, this.position)
      return this
    }
    if (value < 0x100) return this.marked(0xcc, value, 1)
    if (value < 0x10000) return this.marked(0xcd, value, 2)
    if (value < 0x100000000) return this.marked(0xce, value, 4)
    this.position = this.bytes.writeUInt8(0xcf, this.position)
    this.position = this.bytes.writeBigUInt64BE(BigInt(value), this.position)
    return this
  }

  float64(value: number): this {
    this.position = this.bytes.writeUInt8(0xcb, this.position)
    this.position = this.bytes.writeDoubleBE(value, this.position)
    return this
  }

  done(): Buffer {
    return this.bytes.subarray(0, this.position)
  }

  private marked(marker: number, value: number, byteLength: number): this {
    this.position = this.bytes.writeUInt8(marker, this.position)
    this.position = this.bytes.writeUIntBE(value, this.position, byteLength)
    return this
  }
}
