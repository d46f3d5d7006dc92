/**
 * Files from a topic to a destination.
 *
 *     records -> decode -> skip what the ledger knows -> assembly -> in file order -> verify -> destination
 *                                                                        outcome -> ledger -> commit
 */
import {setMaxListeners} from 'node:events'
import {ExitCode} from '../core/errors.js'
import {isAborted} from '../core/flow/index.js'
import type {
  Clock,
  Destination,
  GroupConsumer,
  Logger,
  PartitionRange,
  SpillStore,
  StepObserver,
  TopicAdmin,
} from '../core/ports/index.js'
import {DeliveryHandler} from './delivery/delivery-handler.js'
import {Tally} from './delivery/tally.js'
import type {DeliverReport, PipelineResult, Reporter} from '../core/report.js'

export interface DeliverFilesOptions {
  readonly command: string
  readonly topic: string
  readonly group: string
  /** Stop at the end that the topic had at the start. */
  readonly once: boolean
  /** An incomplete file younger than this is `open`, which is no error. */
  readonly incompleteAfterMs: number
  /** Bounds every buffer together. */
  readonly memoryBytes: number
  /** Files verified and finished at once. */
  readonly concurrency: number
  readonly commitIntervalMs: number
  /** Commit early after so many files. */
  readonly commitFiles: number
}

export interface DeliverFilesPorts {
  readonly consumer: GroupConsumer
  readonly admin: TopicAdmin
  readonly destination: Destination
  readonly spill: SpillStore
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly steps: StepObserver
}

/** How often a `--once` run without partitions looks whether the others are through. */
const OTHERS_POLL_MS = 1000

/**
 * Runs until the signal aborts or, with `once`, until everything below the end that the topic had at the start is
 * done, held or known to be incomplete.
 * @throws whatever makes going on impossible; what happened to single files is in the report
 */
export async function deliverFiles(
  options: DeliverFilesOptions,
  ports: DeliverFilesPorts,
  signal: AbortSignal,
): Promise<PipelineResult<DeliverReport>> {
  const {admin, clock, logger, reporter} = ports
  const {command, topic, group} = options
  const startedMs = clock.nowMs()
  const {clusterId, partitionCount} = await admin.describeTopic(topic)
  const ends = await admin.partitionRanges(topic)
  reporter.event({event: 'started', command, topic, group})
  if (options.once) {
    logger.info(
      'Run it more often than the brokers forget an idle group: offsets.retention.minutes, 7 days by default.',
    )
  }

  const through = new AbortController()
  const tally = new Tally(reporter, logger)
  const handler: DeliveryHandler = new DeliveryHandler({
    ...options,
    ...ports,
    clusterId,
    partitionCount,
    tally,
    onProgress: () => {
      if (options.once && isThrough(handler, ends)) through.abort()
    },
  })
  reporter.watch(() => progressOf(handler, tally, ends))

  const ended = AbortSignal.any([signal, through.signal])
  setMaxListeners(0, ended)
  const others = options.once ? waitForOthers(handler, ports, options, ends, through, ended) : null
  let openAtEnd: ReturnType<typeof handler.reassembly.openFiles> = []
  // Taken before the consumer revokes, which discards what is open.
  ended.addEventListener('abort', () => (openAtEnd = handler.reassembly.openFiles()), {once: true})
  try {
    await ports.consumer.run(handler, ended)
  } finally {
    through.abort()
    await others
  }

  tally.unfinished(openAtEnd, clock.nowMs(), options.incompleteAfterMs)
  if (options.once && tally.records === 0) logger.info(`Nothing new on ${topic} for group ${group}.`)
  const interrupted = options.once && signal.aborted
  const seconds = (clock.nowMs() - startedMs) / 1000
  const {report, exitCode} = tally.result({command, topic, group, interrupted, seconds})
  if (interrupted) return {report, exitCode: ExitCode.interrupted}
  return {report, exitCode: options.once ? exitCode : ExitCode.done}
}

/** Everything that was there at the start is read in our partitions, and nothing waits for its destination. */
function isThrough(handler: DeliveryHandler, ends: readonly PartitionRange[]): boolean {
  const {assignment} = handler
  if (assignment === null || assignment.size === 0 || handler.reassembly.backlogCount > 0) return false
  return ends.every(({partition, end}) => (assignment.get(partition)?.readPosition ?? end) >= end)
}

/** A member that owns nothing is through when the group's commits have reached the end. */
async function waitForOthers(
  handler: DeliveryHandler,
  {admin, clock, logger}: DeliverFilesPorts,
  {group, topic}: DeliverFilesOptions,
  ends: readonly PartitionRange[],
  through: AbortController,
  ended: AbortSignal,
): Promise<void> {
  while (!isAborted(ended)) {
    await clock.sleep(OTHERS_POLL_MS, ended).catch(() => undefined)
    if (isAborted(ended) || handler.assignment?.size !== 0) continue
    try {
      const committed = new Map(
        (await admin.committedOffsets(group, topic)).map(({partition, offset}) => [partition, offset]),
      )
      const behind = ends.filter(({partition, start, end}) => (committed.get(partition) ?? start) < end)
      if (behind.length === 0) through.abort()
      else
        logger.debug('Other members still work on partitions.', {partitions: behind.map((p) => p.partition)})
    } catch (thrown) {
      logger.debug('The group could not be asked for its offsets; asking again.', {reason: String(thrown)})
    }
  }
}

function progressOf(handler: DeliveryHandler, tally: Tally, ends: readonly PartitionRange[]) {
  const assignment = handler.assignment
  const behind = ends.some(({partition, end}) => (assignment?.get(partition)?.readPosition ?? end) < end)
  return {
    phase: assignment === null ? 'joining' : behind ? 'reading' : 'waiting',
    filesDone: tally.delivered,
    filesTotal: null,
    bytesDone: tally.bytes,
    bytesTotal: null,
    filesOpen: handler.reassembly.openCount,
    currentPath: null,
  }
}
