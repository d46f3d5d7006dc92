const FIRST_BYTES = 256

/**
 * Writes Kafka's primitive types. The result is a list of buffers, so that fetched records go from the file to
 * the socket without being copied behind their headers.
 */
export class WireWriter {
  readonly #done: Buffer[] = []
  #current = Buffer.allocUnsafe(FIRST_BYTES)
  #position = 0

  /** What was written so far; the writer is used up. */
  finish(): Buffer[] {
    this.#seal()
    return this.#done
  }

  int8(value: number): this {
    this.#current.writeInt8(value, this.#reserve(1))
    return this
  }

  int16(value: number): this {
    this.#current.writeInt16BE(value, this.#reserve(2))
    return this
  }

  int32(value: number): this {
    this.#current.writeInt32BE(value, this.#reserve(4))
    return this
  }

  int64(value: number): this {
    writeInt64At(this.#current, value, this.#reserve(8))
    return this
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    const length = Buffer.byteLength(value)
    this.int16(length)
    this.#current.write(value, this.#reserve(length), 'utf8')
    return this
  }

  bytes(value: Buffer): this {
    this.int32(value.length)
    value.copy(this.#current, this.#reserve(value.length))
    return this
  }

  /** Like {@link bytes}, but keeps the buffer itself: it must not change until it is on the socket. */
  bytesByReference(value: Buffer): this {
    this.int32(value.length)
    this.#seal()
    this.#done.push(value)
    return this
  }

  array<Item>(items: readonly Item[], writeItem: (item: Item) => void): this {
    this.int32(items.length)
    items.forEach(writeItem)
    return this
  }

  /** The array length of the flexible versions; up to 126 items, which is all that ApiVersions needs. */
  compactArray<Item>(items: readonly Item[], writeItem: (item: Item) => void): this {
    this.int8(items.length + 1)
    items.forEach(writeItem)
    return this
  }

  noTaggedFields(): this {
    return this.int8(0)
  }

  #reserve(length: number): number {
    const start = this.#position
    if (start + length > this.#current.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#current.length * 2, start + length))
      this.#current.copy(larger, 0, 0, start)
      this.#current = larger
    }
    this.#position += length
    return start
  }

  #seal(): void {
    if (this.#position > 0) this.#done.push(this.#current.subarray(0, this.#position))
    this.#current = Buffer.allocUnsafe(FIRST_BYTES)
    this.#position = 0
  }
}

export function writeInt64At(bytes: Buffer, value: number, position: number): void {
  bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), position)
  bytes.writeUInt32BE(value >>> 0, position + 4)
}
