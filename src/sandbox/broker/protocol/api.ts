import type {WireReader} from './wire-reader.js'
import type {WireWriter} from './wire-writer.js'

/**
 * One API of the protocol: how its requests are read and its answers written, in the versions served here. They
 * are the ones that kafkajs 2.2.4 and librdkafka negotiate; layouts are those of https://kafka.apache.org/protocol,
 * drawn beside each API. `[x]` is an array of x, `x?` may be null, `x (3+)` is there from version 3 on.
 */
export interface Api<Request, Response> {
  readonly key: number
  readonly name: string
  readonly versions: VersionRange
  /** What ApiVersions says when that differs from what is served. */
  readonly advertised?: VersionRange
  decode(reader: WireReader, version: number): Request
  encode(writer: WireWriter, response: Response, version: number): void
}

/** Both ends included. */
export type VersionRange = readonly [min: number, max: number]

/** Of one partition in an answer. */
export interface PartitionStatus {
  readonly partition: number
  readonly error: number
}

/** Partitions by topic, as most requests and answers list them. */
export interface ByTopic<Entry> {
  readonly topic: string
  readonly partitions: readonly Entry[]
}

export function readByTopic<Entry>(reader: WireReader, readEntry: () => Entry): ByTopic<Entry>[] {
  return reader.array(() => topicOf(reader, readEntry))
}

export function topicOf<Entry>(reader: WireReader, readEntry: () => Entry): ByTopic<Entry> {
  return {topic: reader.string(), partitions: reader.array(readEntry)}
}

export function writeByTopic<Entry>(
  writer: WireWriter,
  topics: readonly ByTopic<Entry>[],
  writeEntry: (entry: Entry) => void,
): void {
  writer.array(topics, ({topic, partitions}) => writer.string(topic).array(partitions, writeEntry))
}

/** We never throttle. */
export const NO_THROTTLE_MS = 0
