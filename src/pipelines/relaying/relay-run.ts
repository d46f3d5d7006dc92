/**
 * A relay put together from its parts, once its topics are known (topics.ts):
 *
 *     group -> relay-handler -> relay-epoch, one assignment of partitions
 *                                  lane, one partition: its records in order, so many lanes at once
 *                                    record-handler: attempts (transform, again with pauses) -> partition of the output
 *                                      └ failures: the run stops, the record is skipped, or dead-lettered
 *                                  output-writer: a queue for each partition of the output, one request at a time
 *                                    └ acknowledged -> open-record -> ledger of the partition -> commit
 *
 * - A record is done when everything that was made of it is acknowledged, or its dead letter is; offsets are committed
 *   up to the first that is not, with what is done above it.
 * - Nothing overtakes within a partition of the output, and what could not be sent is followed by nothing.
 * - What is read and not acknowledged is bounded; what is over the bound waits in Kafka.
 * - binding.ts has the switches of input and output, relay-control.ts shows them and the rest to whoever asks.
 */
import {Semaphore} from '../../core/flow/index.js'
import type {
  Clock,
  Logger,
  PartitionRange,
  RecordProducer,
  StepObserver,
  TopicPartition,
} from '../../core/ports/index.js'
import {partitionerOf, type RecordTransform} from '../../core/relay/index.js'
import type {Reporter} from '../../core/report.js'
import {Attempts} from './attempts.js'
import type {InputBinding, OutputBinding} from './binding.js'
import {Failures} from './failures.js'
import type {LatestStarts} from './latest.js'
import {LogNotices} from './log-notices.js'
import {MAX_BATCH_BYTES, type RelayOptions} from './options.js'
import {RecordHandler} from './record-handler.js'
import {RelayHandler} from './relay-handler.js'
import type {RelayTally} from './tally.js'
import type {RelayTopics} from './topics.js'

export interface RelayParts {
  readonly producer: RecordProducer
  readonly transform: RecordTransform
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly steps: StepObserver
  readonly topics: RelayTopics
  readonly latestStarts: LatestStarts
  readonly tally: RelayTally
  readonly binding: InputBinding
  readonly outputBinding: OutputBinding
  readonly onProgress: () => void
  /** The run cannot go on. */
  readonly onFailed: (error: Error) => void
}

export interface RelayRun {
  readonly handler: RelayHandler
  readonly notices: LogNotices
}

export function relayRun(options: RelayOptions, parts: RelayParts): RelayRun {
  const {logger, reporter, topics, binding, onFailed} = parts
  const {output, deadLetterPartitions} = topics
  const notices = new LogNotices(logger, reporter)
  const attempts = new Attempts({...options, ...parts})
  const failures = new Failures({
    ...options,
    ...parts,
    deadLetterPartitions,
    transformName: parts.transform.name,
  })
  const partitioner = partitionerOf(options.partitioning, output.partitionCount)
  const handler = new RelayHandler({
    ...options,
    ...parts,
    clusterId: output.clusterId,
    turns: new Semaphore(options.concurrency),
    notices,
    output: {
      topic: output.topic,
      producer: parts.producer,
      binding: parts.outputBinding,
      maxBatchBytes: Math.min(output.maxMessageBytes ?? MAX_BATCH_BYTES, MAX_BATCH_BYTES),
    },
    recordHandler: (writer, over) =>
      new RecordHandler({...options, attempts, failures, partitioner, onFailed}, writer, over),
    onCommitted: (topic, partitions) =>
      reporter.event({
        event: 'committed',
        topic,
        partitions: partitions.map(({partition, offset, doneAbove}) => ({partition, offset, doneAbove})),
      }),
    onCommitFailed: (error) => logger.warn(`A commit failed and will be made anew: ${error.message}`),
    whenNotPaused: () => binding.whenNotPaused(),
  })
  return {handler, notices}
}

/** Everything that was there at the start is done, in the partitions of this member; of one without any: not known. */
export function isThrough({tables}: RelayHandler, ends: readonly PartitionRange[]): boolean {
  if (tables === null || tables.size === 0) return false
  return ends.every((range) => reaches(tables, range))
}

function reaches(
  tables: NonNullable<RelayHandler['tables']>,
  range: TopicPartition & {readonly end: number},
) {
  const progress = tables.get(range.topic)?.get(range.partition)
  // A log that was truncated since has less to read.
  return progress === undefined || progress.ledger.safeOffset >= Math.min(range.end, progress.endOffset)
}
