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

  int8(value: number): void {
    const position = this.#reserve(1)
    this.#current.writeInt8(value, position)
  }

  int16(value: number): void {
    const position = this.#reserve(2)
    this.#current.writeInt16BE(value, position)
  }

  int32(value: number): void {
    const position = this.#reserve(4)
    this.#current.writeInt32BE(value, position)
  }

  int64(value: number): void {
    const position = this.#reserve(8)
    writeInt64At(this.#current, value, position)
  }

  string(value: string | null): void {
    if (value === null) {
      this.int16(-1)
      return
    }
    const utf8 = Buffer.from(value)
    this.int16(utf8.length)
    this.#raw(utf8)
  }

  bytes(value: Buffer): void {
    this.int32(value.length)
    this.#raw(value)
  }

  /** Like {@link bytes}, but keeps the buffer itself: it must not change until it is on the socket. */
  bytesByReference(value: Buffer): void {
    this.int32(value.length)
    this.#seal()
    this.#done.push(value)
  }

  array<Item>(items: readonly Item[] | null, writeItem: (item: Item) => void): void {
    this.int32(items?.length ?? -1)
    items?.forEach(writeItem)
  }

  /** The flexible versions' types, up to 126 items or bytes, which is all that ApiVersions needs. */
  compactArray<Item>(items: readonly Item[], writeItem: (item: Item) => void): void {
    this.int8(items.length + 1)
    items.forEach(writeItem)
  }

  compactString(value: string): void {
    const utf8 = Buffer.from(value)
    this.int8(utf8.length + 1)
    this.#raw(utf8)
  }

  noTaggedFields(): void {
    this.int8(0)
  }

  #raw(bytes: Buffer): void {
    const position = this.#reserve(bytes.length)
    bytes.copy(this.#current, position)
  }

  /** May put another buffer in the place of the current one, so it comes first. */
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
