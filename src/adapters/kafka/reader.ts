/** Reads a range of one partition, without a consumer group. */
import type {Clock, Logger, PartitionRange, TopicReader} from '../../core/ports/index.js'
import {systemClock} from '../system/clock.js'
import {translating} from './errors.js'
import type {FetchHandler} from './fetch/fetch-handler.js'
import {Fetcher} from './fetch/fetcher.js'
import {DEFAULT_FETCH_LIMITS, extentsOf, type FetchLimits} from './fetch/leader-requests.js'
import {DEFAULT_OUTAGE_TOLERANCE_MS, type KafkaSettings} from './settings.js'
import type {Cluster} from './transport/cluster.js'

export interface ReaderTuning {
  readonly clock?: Clock
  readonly fetch?: Partial<FetchLimits>
}

/** A range ends, and at the end of the log the last request would otherwise be waited for. */
const MAX_WAIT_MS = 20

/** @param fetching for Fetch alone: a long poll holds up whatever comes behind it on its connection */
export function createReader(
  control: Cluster,
  fetching: Cluster,
  settings: KafkaSettings,
  logger: Logger,
  tuning: ReaderTuning = {},
): TopicReader {
  const environment = {
    control,
    fetching,
    limits: {...DEFAULT_FETCH_LIMITS, maxWaitMs: MAX_WAIT_MS, ...tuning.fetch},
    toleranceMs: settings.outageToleranceMs ?? DEFAULT_OUTAGE_TOLERANCE_MS,
    clock: tuning.clock ?? systemClock,
    logger,
  }
  return {
    async read(range, onRecords, signal = new AbortController().signal) {
      signal.throwIfAborted()
      const {start, end} = await translating({topic: range.topic, addresses: control.addresses}, () =>
        control.patiently(() => whatIsThere(control, range, signal), {signal}),
      )
      if (start >= end) return
      const through = new AbortController()
      const handler: FetchHandler = {
        async records({records, nextOffset}) {
          await onRecords(
            records.filter(({offset}) => offset < end),
            Math.min(nextOffset, end),
          )
          if (nextOffset >= end) through.abort()
        },
        // Trimmed while it was read; behind the end nothing is asked for.
        async outOfRange({start: newStart}, position) {
          if (newStart <= position || newStart >= end) through.abort()
          return Math.max(newStart, position)
        },
      }
      const {topic, partition} = range
      const fetcher = new Fetcher([{topic, partition, offset: start}], handler, environment)
      await fetcher.run(AbortSignal.any([signal, through.signal]))
      signal.throwIfAborted()
    },
    async close() {
      await Promise.all([control.close(), fetching.close()])
    },
  }
}

/** The part of the range that the log has. */
async function whatIsThere(
  cluster: Cluster,
  {topic, partition, start, end}: PartitionRange,
  signal: AbortSignal,
): Promise<{start: number; end: number}> {
  await cluster.refreshMetadata([topic], signal)
  const [extent] = await extentsOf(cluster, [{topic, partition}], signal)
  if (extent === undefined) return {start: end, end}
  return {start: Math.max(start, extent.start), end: Math.min(end, extent.end)}
}
