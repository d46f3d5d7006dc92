import type {WireReader} from './wire-reader.js'
import type {WireWriter} from './wire-writer.js'

/**
 * The words in which the APIs beside this file draw their layouts. A layout is read from top to bottom, as the
 * bytes come, and is at once the type of the value, its reader and its writer, in every version served.
 */
export interface Field<Value> {
  read(reader: WireReader, version: number): Value
  write(writer: WireWriter, value: Value, version: number): void
}
export type ValueOf<F> = F extends Field<infer Value> ? Value : never

/** On the wire, but of no interest here: no part of the value. */
export interface Fixed extends Field<undefined> {
  readonly isFixed: true
}

export const int8: Field<number> = {read: (r) => r.int8(), write: (w, value) => w.int8(value)}
export const int16: Field<number> = {read: (r) => r.int16(), write: (w, value) => w.int16(value)}
export const int32: Field<number> = {read: (r) => r.int32(), write: (w, value) => w.int32(value)}
export const int64: Field<number> = {read: (r) => r.int64(), write: (w, value) => w.int64(value)}
export const boolean: Field<boolean> = {
  read: (r) => r.int8() !== 0,
  write: (w, value) => w.int8(value ? 1 : 0),
}
export const string: Field<string> = {read: (r) => r.string(), write: (w, value) => w.string(value)}
export const nullableString: Field<string | null> = {
  read: (r) => r.nullableString(),
  write: (w, value) => w.string(value),
}
/** Read as a view into the request. */
export const bytes: Field<Buffer> = {read: (r) => r.bytes(), write: (w, value) => w.bytes(value)}
/** Record batches: empty when null, and never copied. */
export const records: Field<Buffer> = {
  read: (r) => r.nullableBytes() ?? Buffer.alloc(0),
  write: (w, value) => w.bytesByReference(value),
}
/** Takes no bytes. */
export const nothing: Field<null> = {read: () => null, write: () => undefined}

type Shape = Record<string, Field<unknown>>
type StructOf<S extends Shape> = {readonly [K in keyof S as S[K] extends Fixed ? never : K]: ValueOf<S[K]>}

export function struct<S extends Shape>(shape: S): Field<StructOf<S>> {
  const fields = Object.entries(shape)
  return {
    read(reader, version) {
      const value: Record<string, unknown> = {}
      for (const [name, field] of fields) {
        const read = field.read(reader, version)
        if (!('isFixed' in field)) value[name] = read
      }
      return value as StructOf<S>
    },
    write(writer, value, version) {
      for (const [name, field] of fields)
        field.write(writer, (value as Record<string, unknown>)[name], version)
    },
  }
}

export function array<Item>(item: Field<Item>): Field<readonly Item[]> {
  return {
    read: (reader, version) => reader.array(() => item.read(reader, version)),
    write: (writer, items, version) => writer.array(items, (each) => item.write(writer, each, version)),
  }
}

export function nullableArray<Item>(item: Field<Item>): Field<readonly Item[] | null> {
  return {
    read: (reader, version) => reader.nullableArray(() => item.read(reader, version)),
    write: (writer, items, version) => writer.array(items, (each) => item.write(writer, each, version)),
  }
}

/** Partitions under their topics, as most requests and answers list them. */
export function byTopic<Entry>(partition: Field<Entry>): Field<readonly ByTopic<Entry>[]> {
  return array(struct({topic: string, partitions: array(partition)}))
}
export interface ByTopic<Entry> {
  readonly topic: string
  readonly partitions: readonly Entry[]
}

/** Written as this value, skipped when read. */
export function fixed<Value>(field: Field<Value>, value: Value): Fixed {
  return {
    isFixed: true,
    read(reader, version) {
      field.read(reader, version)
      return undefined
    },
    write: (writer, _, version) => field.write(writer, value, version),
  }
}

/** In these versions only, both included. */
export function versions(min: number, max: number, field: Fixed): Fixed
export function versions<Value, Absent>(
  min: number,
  max: number,
  field: Field<Value>,
  absent: Absent,
): Field<Value | Absent>
export function versions<Value, Absent>(min: number, max: number, field: Field<Value>, absent?: Absent) {
  const isThere = (version: number) => version >= min && version <= max
  return {
    ...field,
    read: (reader: WireReader, version: number) => (isThere(version) ? field.read(reader, version) : absent),
    write(writer: WireWriter, value: Value, version: number) {
      if (isThere(version)) field.write(writer, value, version)
    },
  }
}

export function since(version: number, field: Fixed): Fixed
export function since<Value, Absent>(
  version: number,
  field: Field<Value>,
  absent: Absent,
): Field<Value | Absent>
export function since<Value, Absent>(version: number, field: Field<Value>, absent?: Absent) {
  return versions(version, Number.POSITIVE_INFINITY, field, absent)
}

export const throttleMs = fixed(int32, 0)

export type VersionRange = readonly [min: number, max: number]

/**
 * One API of the protocol, in the versions that kafkajs 2.2.4 and librdkafka negotiate
 * (https://kafka.apache.org/protocol#protocol_messages).
 */
export interface Api<Request, Response> {
  readonly key: number
  readonly name: string
  /** The versions that are served, both ends included. */
  readonly versions: VersionRange
  /** What ApiVersions says when that is something else. */
  readonly advertised?: VersionRange
  readonly request: Field<Request>
  readonly response: Field<Response>
}
export type RequestOf<A extends {readonly request: unknown}> = ValueOf<A['request']>
export type ResponseOf<A extends {readonly response: unknown}> = ValueOf<A['response']>

/** For inference: an object literal typed as the API that it draws. */
export function api<Request, Response>(drawn: Api<Request, Response>): Api<Request, Response> {
  return drawn
}
