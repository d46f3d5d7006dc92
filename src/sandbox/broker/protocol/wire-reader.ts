/** A request that cannot be read. Its connection is closed: nothing after it on the wire can be trusted. */
export class WireError extends Error {}

/** All arrays of one request together; what a hostile request could make us allocate stays in proportion. */
const MAX_ARRAY_ITEMS = 200_000

/**
 * Reads Kafka's primitive types (https://kafka.apache.org/protocol#protocol_types) off one request. Byte strings
 * are views into it. Every length is checked against what is left before anything is allocated.
 *
 * @throws WireError from every method
 */
export class WireReader {
  readonly #bytes: Buffer
  #position = 0
  #itemsLeft = MAX_ARRAY_ITEMS

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int8(): number {
    return this.#bytes.readInt8(this.#advance(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#advance(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4))
  }

  int64(): number {
    return int64At(this.#bytes, this.#advance(8))
  }

  string(): string {
    return required(this.nullableString(), 'string')
  }

  nullableString(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.#view(length).toString('utf8')
  }

  bytes(): Buffer {
    return required(this.nullableBytes(), 'bytes')
  }

  nullableBytes(): Buffer | null {
    const length = this.int32()
    return length === -1 ? null : this.#view(length)
  }

  array<Item>(readItem: () => Item): Item[] {
    return required(this.nullableArray(readItem), 'array')
  }

  nullableArray<Item>(readItem: () => Item): Item[] | null {
    const count = this.int32()
    return count === -1 ? null : this.#items(count, readItem)
  }

  /** Of the flexible versions (KIP-482), only what ApiVersions needs. */
  compactString(): string {
    return this.#view(this.#unsignedVarint() - 1).toString('utf8')
  }

  compactArray<Item>(readItem: () => Item): Item[] {
    return this.#items(this.#unsignedVarint() - 1, readItem)
  }

  skipTaggedFields(): void {
    for (let left = this.#unsignedVarint(); left > 0; left--) {
      this.#unsignedVarint()
      this.#view(this.#unsignedVarint())
    }
  }

  #items<Item>(count: number, readItem: () => Item): Item[] {
    if (count < 0 || count > this.#itemsLeft || count > this.#bytes.length - this.#position) {
      throw new WireError(`an array of ${count} items`)
    }
    this.#itemsLeft -= count
    return Array.from({length: count}, readItem)
  }

  #unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#advance(1))
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new WireError('a varint beyond 28 bits')
  }

  #view(length: number): Buffer {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  #advance(length: number): number {
    const start = this.#position
    if (length < 0 || start + length > this.#bytes.length) throw new WireError(`${length} bytes past the end`)
    this.#position += length
    return start
  }
}

/** What is no safe integer, as no offset or timestamp in use ever is, becomes the nearest one that is. */
export function int64At(bytes: Buffer, position: number): number {
  const value = bytes.readInt32BE(position) * 0x1_0000_0000 + bytes.readUInt32BE(position + 4)
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
}

function required<Value>(value: Value | null, type: string): Value {
  if (value === null) throw new WireError(`null where a ${type} is required`)
  return value
}
