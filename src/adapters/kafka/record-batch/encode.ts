/**
 * Writes one record batch as a list of buffers to be written one after another. What is large is passed on as it
 * is; what lies between is written into one buffer of its own, and small values with it, because a thousand
 * small pieces cost more than copying them.
 */
import {Buffer} from 'node:buffer'
import type {OutgoingRecord} from '../../../core/record.js'
import {crc32c} from '../../system/crc32c.js'
import {CRC_POSITION, CRC_START, HEADER_BYTES, LENGTH_POSITION, LENGTH_PREFIX_BYTES, MAGIC} from './header.js'
import {sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong} from './varint.js'

const COPY_BELOW_BYTES = 4096
const NO_PRODUCER_ID = -1n

export interface EncodedBatch {
  readonly buffers: readonly Buffer[]
  readonly byteLength: number
}

/**
 * Uncompressed; offsets count from 0, the broker puts its own base in.
 * @throws RangeError for no record at all, or for more than fit a batch
 */
export function encodeRecordBatch(
  records: readonly OutgoingRecord[],
  {nowMs}: {nowMs: number},
): EncodedBatch {
  if (records.length === 0) throw new RangeError('a record batch has at least one record')
  const timestamps = records.map((record) => record.timestampMs ?? nowMs)
  const baseTimestampMs = timestamps[0] ?? nowMs
  const plans = records.map((record, index) =>
    planRecord(record, index, (timestamps[index] ?? nowMs) - baseTimestampMs),
  )
  const byteLength = plans.reduce((sum, plan) => sum + plan.byteLength, HEADER_BYTES)
  if (byteLength > 2 ** 31 - 1) throw new RangeError(`a record batch of ${byteLength} bytes`)

  const pieces = new Pieces(plans.reduce((sum, plan) => sum + plan.ownBytes, HEADER_BYTES))
  const header = pieces.reserve(HEADER_BYTES)
  for (const plan of plans) writeRecord(pieces, plan)
  const buffers = pieces.finish()

  header.writeInt32BE(byteLength - LENGTH_PREFIX_BYTES, LENGTH_POSITION)
  header.writeInt32BE(-1, 12) // partitionLeaderEpoch: the broker's to know
  header.writeInt8(MAGIC, 16)
  header.writeInt32BE(records.length - 1, 23)
  header.writeBigInt64BE(BigInt(baseTimestampMs), 27)
  header.writeBigInt64BE(BigInt(timestamps.reduce((a, b) => Math.max(a, b))), 35)
  header.writeBigInt64BE(NO_PRODUCER_ID, 43)
  header.writeInt16BE(-1, 51)
  header.writeInt32BE(-1, 53)
  header.writeInt32BE(records.length, 57)
  header.writeUInt32BE(crcOf(buffers), CRC_POSITION)
  return {buffers, byteLength}
}

/** Of a whole batch. */
export function crcOf(buffers: readonly Buffer[]): number {
  let crc = 0
  buffers.forEach((buffer, index) => (crc = crc32c(index === 0 ? buffer.subarray(CRC_START) : buffer, crc)))
  return crc
}

/** Everything about a record that must be known before its first byte, its length, can be written. */
interface RecordPlan {
  readonly record: OutgoingRecord
  readonly index: number
  readonly timestampDelta: number
  readonly valueBytes: number
  readonly headers: readonly {readonly key: Buffer; readonly value: Buffer | null}[]
  /** What the record's length field says. */
  readonly bodyBytes: number
  /** With the length field. */
  readonly byteLength: number
  /** Of these, what goes into the buffer of our own. */
  readonly ownBytes: number
}

function planRecord(record: OutgoingRecord, index: number, timestampDelta: number): RecordPlan {
  const headers = record.headers.map(({key, value}) => ({key: Buffer.from(key), value}))
  const valueBytes = record.value?.reduce((sum, part) => sum + part.length, 0) ?? -1
  const bodyBytes =
    1 +
    sizeOfVarlong(timestampDelta) +
    sizeOfVarint(index) +
    sizeOfField(record.key) +
    sizeOfVarint(valueBytes) +
    Math.max(0, valueBytes) +
    sizeOfVarint(headers.length) +
    headers.reduce((sum, header) => sum + sizeOfField(header.key) + sizeOfField(header.value), 0)
  const byteLength = sizeOfVarint(bodyBytes) + bodyBytes
  const passedOn = record.value?.reduce((sum, part) => sum + (isPassedOn(part) ? part.length : 0), 0) ?? 0
  return {
    record,
    index,
    timestampDelta,
    valueBytes,
    headers,
    bodyBytes,
    byteLength,
    ownBytes: byteLength - passedOn,
  }
}

const isPassedOn = (part: Buffer): boolean => part.length >= COPY_BELOW_BYTES
const sizeOfField = (bytes: Buffer | null): number =>
  bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length

function writeRecord(pieces: Pieces, plan: RecordPlan): void {
  pieces.varint(plan.bodyBytes)
  pieces.byte(0) // attributes
  pieces.varlong(plan.timestampDelta)
  pieces.varint(plan.index)
  writeField(pieces, plan.record.key)
  pieces.varint(plan.valueBytes)
  for (const part of plan.record.value ?? []) {
    if (isPassedOn(part)) pieces.passOn(part)
    else pieces.copy(part)
  }
  pieces.varint(plan.headers.length)
  for (const {key, value} of plan.headers) {
    writeField(pieces, key)
    writeField(pieces, value)
  }
}

function writeField(pieces: Pieces, bytes: Buffer | null): void {
  pieces.varint(bytes === null ? -1 : bytes.length)
  if (bytes !== null) pieces.copy(bytes)
}

/** One buffer of our own, filled from the front and cut wherever a buffer is passed on. */
class Pieces {
  readonly #own: Buffer
  readonly #pieces: Buffer[] = []
  #cutAt = 0
  #position = 0

  constructor(ownBytes: number) {
    this.#own = Buffer.allocUnsafe(ownBytes)
  }

  /** Zeroed, to be filled later. */
  reserve(byteLength: number): Buffer {
    const start = this.#position
    this.#position += byteLength
    return this.#own.subarray(start, this.#position).fill(0)
  }

  byte(value: number): void {
    this.#own[this.#position++] = value
  }

  varint(value: number): void {
    this.#position = writeVarint(this.#own, value, this.#position)
  }

  varlong(value: number): void {
    this.#position = writeVarlong(this.#own, value, this.#position)
  }

  copy(bytes: Buffer): void {
    this.#position += bytes.copy(this.#own, this.#position)
  }

  passOn(bytes: Buffer): void {
    this.#cut()
    this.#pieces.push(bytes)
  }

  finish(): readonly Buffer[] {
    this.#cut()
    return this.#pieces
  }

  #cut(): void {
    if (this.#position > this.#cutAt) this.#pieces.push(this.#own.subarray(this.#cutAt, this.#position))
    this.#cutAt = this.#position
  }
}
