/** Writing records, reading them, and where they begin and end. */
import {
  api,
  byTopic,
  fixed,
  int16,
  int32,
  int64,
  int8,
  nullableArray,
  nullableString,
  records,
  since,
  string,
  struct,
  throttleMs,
  type RequestOf,
  type ResponseOf,
} from './schema.js'

/**
 * Versions 0 to 2 carry the record formats that came before the one of today. They are advertised all the same,
 * as Apache Kafka does, because librdkafka concludes from them which compression codecs there are.
 */
export const produce = api({
  key: 0,
  name: 'Produce',
  versions: [3, 7],
  advertised: [0, 7],
  request: struct({
    transactionalId: nullableString,
    acks: int16,
    timeoutMs: fixed(int32, 30_000),
    topics: byTopic(struct({partition: int32, records})),
  }),
  response: struct({
    topics: byTopic(
      struct({
        partition: int32,
        error: int16,
        baseOffset: int64,
        appendTimeMs: fixed(int64, -1),
        startOffset: since(5, int64, -1),
      }),
    ),
    throttleMs,
  }),
})
export type ProduceRequest = RequestOf<typeof produce>

export const initProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 1],
  request: struct({transactionalId: nullableString, transactionTimeoutMs: fixed(int32, 60_000)}),
  response: struct({throttleMs, error: int16, producerId: int64, producerEpoch: int16}),
})

/**
 * There are no fetch sessions (KIP-227): a client that asks for one is given session 0, which means none. Nor are
 * there transactions, so everything up to the end is stable.
 */
export const fetch = api({
  key: 1,
  name: 'Fetch',
  versions: [4, 11],
  request: struct({
    replicaId: fixed(int32, -1),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32,
    isolationLevel: fixed(int8, 0),
    sessionId: since(7, fixed(int32, 0)),
    /** Beyond 0 the request lists only what has changed. */
    sessionEpoch: since(7, int32, -1),
    topics: byTopic(
      struct({
        partition: int32,
        leaderEpoch: since(9, fixed(int32, -1)),
        offset: int64,
        followersStartOffset: since(5, fixed(int64, -1)),
        maxBytes: int32,
      }),
    ),
    forgotten: since(7, fixed(byTopic(int32), [])),
    rackId: since(11, fixed(string, '')),
  }),
  response: struct({
    throttleMs,
    error: since(7, int16, 0),
    sessionId: since(7, fixed(int32, 0)),
    topics: byTopic(
      struct({
        partition: int32,
        error: int16,
        highWatermark: int64,
        lastStableOffset: int64,
        startOffset: since(5, int64, -1),
        abortedTransactions: fixed(nullableArray(struct({producerId: int64, firstOffset: int64})), []),
        preferredReplica: since(11, fixed(int32, -1)),
        records,
      }),
    ),
  }),
})
export type FetchRequest = RequestOf<typeof fetch>
export type FetchPosition = FetchRequest['topics'][number]['partitions'][number]
export type FetchedPartition = ResponseOf<typeof fetch>['topics'][number]['partitions'][number]

export const LATEST = -1
export const EARLIEST = -2

export const listOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 3],
  request: struct({
    replicaId: fixed(int32, -1),
    isolationLevel: since(2, fixed(int8, 0)),
    /** The time may also be {@link LATEST} or {@link EARLIEST}. */
    topics: byTopic(struct({partition: int32, timestampMs: int64})),
  }),
  response: struct({
    throttleMs: since(2, throttleMs),
    topics: byTopic(struct({partition: int32, error: int16, timestampMs: int64, offset: int64})),
  }),
})

export const deleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 1],
  request: struct({
    /** All records before the offset; {@link LATEST} means all there are. */
    topics: byTopic(struct({partition: int32, offset: int64})),
    timeoutMs: fixed(int32, 30_000),
  }),
  response: struct({
    throttleMs,
    topics: byTopic(struct({partition: int32, startOffset: int64, error: int16})),
  }),
})
