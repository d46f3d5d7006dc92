import type {PartitionLog} from '../log/partition-log.js'
import type {Topics} from '../log/topics.js'
import {attempt, KafkaError, Refusal} from '../protocol/errors.js'
import {
  deleteRecords,
  EARLIEST,
  fetch,
  LATEST,
  listOffsets,
  type FetchedPartition,
  type FetchPosition,
  type FetchRequest,
} from '../protocol/records.js'
import type {ByTopic} from '../protocol/schema.js'
import {route, type Route} from './dispatcher.js'
import type {BrokerState} from './state.js'

/** Apache Kafka's fetch.max.bytes. */
const MAX_ANSWER_BYTES = 55 * 1024 * 1024
const UNKNOWN = {highWatermark: -1, lastStableOffset: -1, startOffset: -1, records: Buffer.alloc(0)}

/** Reading records, and where they begin and end. */
export function fetchingRoutes({topics}: BrokerState): Route[] {
  return [
    route(fetch, async (request, {gone}) => {
      if (request.sessionEpoch > 0) return {error: KafkaError.FETCH_SESSION_ID_NOT_FOUND, topics: []}
      if (!isWorthAnswering(topics, request)) await untilWorthAnswering(topics, request, gone)
      return {error: KafkaError.NONE, topics: gone.aborted ? [] : readAll(topics, request)}
    }),
    route(listOffsets, (asked) => ({
      topics: forEachPartition(asked.topics, (topic, {partition, timestampMs}) => {
        const {error, value} = attempt(() => findOffset(topics.get(topic).partition(partition), timestampMs))
        return {partition, error, ...(value ?? NOT_FOUND)}
      }),
    })),
    route(deleteRecords, (asked) => ({
      topics: forEachPartition(asked.topics, (topic, {partition, offset}) => {
        const {error, value} = attempt(() =>
          topics.get(topic).deleteBefore(partition, offset === LATEST ? null : offset),
        )
        return {partition, error, startOffset: value ?? -1}
      }),
    })),
  ]
}

const NOT_FOUND = {offset: -1, timestampMs: -1}

function findOffset(log: PartitionLog, timestampMs: number) {
  if (timestampMs === LATEST) return {offset: log.endOffset, timestampMs: -1}
  if (timestampMs === EARLIEST) return {offset: log.startOffset, timestampMs: -1}
  if (timestampMs < 0) throw new Refusal('UNSUPPORTED_VERSION')
  return log.offsetSince(timestampMs) ?? NOT_FOUND
}

/** Enough bytes, or an error that the client should know at once. */
function isWorthAnswering(topics: Topics, {topics: asked, minBytes}: FetchRequest): boolean {
  let readable = 0
  for (const {topic, partitions} of asked) {
    for (const {partition, offset, maxBytes} of partitions) {
      const {value} = attempt(() => topics.get(topic).partition(partition).readableBytes(offset))
      if (value === null) return true
      readable += Math.min(value, maxBytes)
    }
  }
  return readable >= minBytes
}

/** The long poll: until enough was appended, the client's patience ends, or it is gone. */
function untilWorthAnswering(topics: Topics, request: FetchRequest, gone: AbortSignal): Promise<void> {
  const logs = request.topics.flatMap(({topic, partitions}) =>
    partitions.map(({partition}) => topics.get(topic).partition(partition)),
  )
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(patience)
      gone.removeEventListener('abort', finish)
      for (const stopWatching of watches) stopWatching()
      resolve()
    }
    const patience = setTimeout(finish, request.maxWaitMs)
    gone.addEventListener('abort', finish)
    const watches = logs.map((log) =>
      log.onAppend(() => {
        if (isWorthAnswering(topics, request)) finish()
      }),
    )
  })
}

/** The first batch found is sent whole, whatever the limits say, so that every reader can make progress. */
function readAll(topics: Topics, request: FetchRequest) {
  let bytesLeft = Math.min(request.maxBytes, MAX_ANSWER_BYTES)
  let isFirst = true
  const readPartition = (topic: string, {partition, offset, maxBytes}: FetchPosition): FetchedPartition => {
    const {error, value} = attempt(() => {
      const log = topics.get(topic).partition(partition)
      const records = log.read(offset, Math.min(maxBytes, bytesLeft), isFirst)
      const end = log.endOffset
      return {highWatermark: end, lastStableOffset: end, startOffset: log.startOffset, records}
    })
    const found = value ?? UNKNOWN
    bytesLeft -= found.records.length
    isFirst &&= found.records.length === 0
    return {partition, error, ...found}
  }
  return forEachPartition(request.topics, readPartition)
}

function forEachPartition<Asked, Answer>(
  topics: readonly ByTopic<Asked>[],
  answer: (topic: string, asked: Asked) => Answer,
): ByTopic<Answer>[] {
  return topics.map(({topic, partitions}) => {
    return {topic, partitions: partitions.map((asked) => answer(topic, asked))}
  })
}
