/**
 * The primitive types of Kafka's non-flexible encoding: big-endian, lengths in front. The reader is for bytes
 * that anybody may have written: it never reads past the end and allocates nothing that the bytes do not hold.
 */
export class MalformedBytes extends Error {
  override name = 'MalformedBytes'
}

export class BytesReader {
  #position = 0

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.#position === this.bytes.length
  }

  int8(): number {
    return this.bytes.readInt8(this.#advance(1))
  }

  int16(): number {
    return this.bytes.readInt16BE(this.#advance(2))
  }

  int32(): number {
    return this.bytes.readInt32BE(this.#advance(4))
  }

  /** INT64, for what must be a safe integer: offsets and times. */
  safeInt64(): number {
    const value = this.int64()
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
      throw new MalformedBytes(`${value.toString()} is no safe integer`)
    }
    return Number(value)
  }

  int64(): bigint {
    return this.bytes.readBigInt64BE(this.#advance(8))
  }

  /** STRING: int16 length, UTF-8. */
  string(): string {
    const byteLength = this.int16()
    const start = this.#advance(byteLength)
    return this.bytes.toString('utf8', start, start + byteLength)
  }

  /** NULLABLE_STRING: int16 length, -1 for null, UTF-8. */
  nullableString(): string | null {
    const byteLength = this.int16()
    if (byteLength === -1) return null
    const start = this.#advance(byteLength)
    return this.bytes.toString('utf8', start, start + byteLength)
  }

  /** NULLABLE_BYTES: int32 length, -1 for null. */
  nullableBytes(): Buffer | null {
    const byteLength = this.int32()
    if (byteLength === -1) return null
    const start = this.#advance(byteLength)
    return this.bytes.subarray(start, start + byteLength)
  }

  /** ARRAY: int32 count, then the elements; -1 is read as empty. */
  array<T>(element: (reader: BytesReader) => T): T[] {
    const count = this.int32()
    const elements: T[] = []
    for (let i = 0; i < count; i++) elements.push(element(this))
    return elements
  }

  #advance(byteCount: number): number {
    const start = this.#position
    if (byteCount < 0 || start + byteCount > this.bytes.length) {
      throw new MalformedBytes(`${byteCount} bytes expected at ${start} of ${this.bytes.length}`)
    }
    this.#position = start + byteCount
    return start
  }
}

export class BytesWriter {
  readonly #parts: Buffer[] = []

  int8(value: number): this {
    return this.#fixed(1, (buffer) => buffer.writeInt8(value))
  }

  int16(value: number): this {
    return this.#fixed(2, (buffer) => buffer.writeInt16BE(value))
  }

  int32(value: number): this {
    return this.#fixed(4, (buffer) => buffer.writeInt32BE(value))
  }

  int64(value: number | bigint): this {
    return this.#fixed(8, (buffer) => buffer.writeBigInt64BE(BigInt(value)))
  }

  string(value: string): this {
    const utf8 = Buffer.from(value, 'utf8')
    this.int16(utf8.length).#parts.push(utf8)
    return this
  }

  bytes(value: Buffer): this {
    this.int32(value.length).#parts.push(value)
    return this
  }

  array<T>(elements: readonly T[], write: (writer: this, element: T) => void): this {
    this.int32(elements.length)
    for (const element of elements) write(this, element)
    return this
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts)
  }

  #fixed(byteLength: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.allocUnsafe(byteLength)
    write(buffer)
    this.#parts.push(buffer)
    return this
  }
}
