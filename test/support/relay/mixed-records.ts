/** Records of every kind that a topic can have, made anew from their place whenever they are compared. */
import {createHash} from 'node:crypto'
import type {ConsumedRecord, OutgoingRecord, RecordHeader} from '../../../src/core/record.js'

/** Younger than any retention. */
const EPOCH_MS = Date.now() - 3_600_000
const ID_HEADER = 'id'

export interface Place {
  readonly partition: number
  readonly offset: number
}

/** Keys: none, empty, binary, one of its own, one of a few. Values: none, empty, up to 1,200 bytes. */
export function mixedRecord(place: Place): OutgoingRecord {
  const seed = createHash('sha256').update(nameOf(place)).digest()
  const value = valueOf(seed, place.offset)
  return {
    key: keyOf(seed, place.offset),
    value: value === null ? null : [value],
    headers: headersOf(seed, place),
    timestampMs: EPOCH_MS + place.offset,
  }
}

/** Where the record was on the topic it comes from. @throws when it differs from what was put there */
export function placeOf({key, value, headers, timestampMs}: ConsumedRecord): Place {
  const id = String(headers[0]?.value)
  const [partition, offset] = id.split(':').map(Number) as [number, number]
  const expected = mixedRecord({partition, offset})
  const [sentValue] = expected.value ?? [null]
  const isSame =
    same(key, expected.key) &&
    same(value, sentValue ?? null) &&
    timestampMs === expected.timestampMs &&
    headers.length === expected.headers.length &&
    headers.every((header, i) => {
      const sent = expected.headers[i]!
      return header.key === sent.key && same(header.value, sent.value)
    })
  if (!isSame) throw new Error(`record ${id} came as another one`)
  return {partition, offset}
}

function keyOf(seed: Buffer, offset: number): Buffer | null {
  const kind = offset % 8
  if (kind === 0) return null
  if (kind === 1) return Buffer.alloc(0)
  if (kind === 2) return seed.subarray(0, 9)
  if (kind === 3) return Buffer.from(`measurement-${offset}`)
  return Buffer.from(`sensor-${seed[0]! % 40}`)
}

function valueOf(seed: Buffer, offset: number): Buffer | null {
  if (offset % 50 === 7) return null
  if (offset % 50 === 8) return Buffer.alloc(0)
  return Buffer.alloc(1 + (seed.readUInt16BE(1) % 1200), seed)
}

function headersOf(seed: Buffer, place: Place): RecordHeader[] {
  const id = {key: ID_HEADER, value: Buffer.from(nameOf(place))}
  if (place.offset % 3 > 0) return [id]
  return [
    id,
    {key: 'unit', value: Buffer.from('µm')},
    {key: 'again', value: seed.subarray(3, 7)},
    {key: 'again', value: null},
    {key: '', value: Buffer.alloc(0)},
  ]
}

const nameOf = ({partition, offset}: Place) => `${partition}:${offset}`

const same = (one: Buffer | null, other: Buffer | null) =>
  one === null || other === null ? one === other : one.equals(other)
