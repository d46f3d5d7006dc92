/**
 * Reads ranges of single partitions, without a consumer group: the fetch loop, with one partition and an end.
 * Connections and what is known of leaders stay from one read to the next, so that many small ones are cheap.
 */
import type {Clock, Logger, PartitionRange, TopicReader} from '../../core/ports/index.js'
import {systemClock} from '../system/clock.js'
import {translating} from './errors.js'
import type {FetchHandler} from './fetch/fetch-handler.js'
import {Fetcher} from './fetch/fetcher.js'
import {DEFAULT_FETCH_LIMITS} from './fetch/leader-requests.js'
import type {FetchLimits} from './fetch/leader-requests.js'
import {DEFAULT_OUTAGE_TOLERANCE_MS} from './settings.js'
import type {KafkaSettings} from './settings.js'
import type {Cluster} from './transport/cluster.js'
import {isProtocolFailure} from './transport/failures.js'

/** What is asked for is there already; only a log that lost its end since then makes a broker wait. */
const MAX_WAIT_MS = 20
/** A topic that somebody else has just made may not be known to every broker yet. */
const UNKNOWN_TOPIC_MS = 1_000
/** A read of a few records should not carry megabytes; one that goes on asks for twice as much each time. */
const FIRST_FETCH_BYTES = 1024 * 1024

export interface ReaderTuning {
  readonly clock?: Clock
  /** The most that one Fetch asks for. */
  readonly fetchBytes?: number
}

/**
 * @param control for everything but Fetch
 * @param fetching for Fetch alone: megabytes hold up whatever comes behind them on their connection
 */
export function createReader(
  control: Cluster,
  fetching: Cluster,
  settings: KafkaSettings,
  logger: Logger,
  tuning: ReaderTuning = {},
): TopicReader {
  const fetchBytes = tuning.fetchBytes ?? DEFAULT_FETCH_LIMITS.partitionBytes
  const environment = {
    control,
    fetching,
    frameMemory: null,
    toleranceMs: settings.outageToleranceMs ?? DEFAULT_OUTAGE_TOLERANCE_MS,
    clock: tuning.clock ?? systemClock,
    logger,
  }

  /** The fetch loop tolerates an unknown topic for as long as an outage: it may have been there before. */
  const findLeader = ({topic, partition}: PartitionRange, signal: AbortSignal | undefined) =>
    translating({topic, partition, addresses: control.addresses}, () =>
      control.patiently(() => control.leaderOf(topic, partition, signal), {
        signal,
        limitMs: (error) =>
          isProtocolFailure(error, 'UNKNOWN_TOPIC_OR_PARTITION') ? UNKNOWN_TOPIC_MS : undefined,
      }),
    )

  return {
    async read(range, onRecords, signal) {
      signal?.throwIfAborted()
      await findLeader(range, signal)
      const {topic, partition, start, end} = range
      if (start >= end) return
      const through = new AbortController()
      const stop = () => through.abort()
      const limits = new GrowingLimits(fetchBytes)
      const handler: FetchHandler = {
        async records({records, nextOffset, endOffset}) {
          limits.grow()
          const wanted = nextOffset <= end ? records : records.filter(({offset}) => offset < end)
          if (nextOffset > start) await onRecords(wanted, Math.min(nextOffset, end))
          if (nextOffset >= Math.min(end, endOffset)) stop()
        },
        async outOfRange(extent, position) {
          const isBehindTheLog = extent.start <= position
          if (isBehindTheLog || extent.start >= end) stop()
          return Math.max(extent.start, position)
        },
      }
      const from = {topic, partition, offset: start, until: end}
      signal?.addEventListener('abort', stop, {once: true})
      try {
        await new Fetcher([from], handler, {...environment, limits}).run(through.signal)
      } finally {
        signal?.removeEventListener('abort', stop)
      }
      signal?.throwIfAborted()
    },
    async close() {
      await Promise.all([control.close(), fetching.close()])
    },
  }
}

/** Two answers are held at once at most, see fetch/leader-reader.ts. */
class GrowingLimits implements FetchLimits {
  readonly maxWaitMs = MAX_WAIT_MS
  #bytes: number

  constructor(private readonly mostBytes: number) {
    this.#bytes = Math.min(FIRST_FETCH_BYTES, mostBytes)
  }

  get partitionBytes(): number {
    return this.#bytes
  }

  get answerBytes(): number {
    return this.#bytes
  }

  grow(): void {
    this.#bytes = Math.min(2 * this.#bytes, this.mostBytes)
  }
}
