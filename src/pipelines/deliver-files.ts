/**
 * Files from a topic to a destination.
 *
 *     records -> decode -> skip what the ledger knows -> assembly -> in file order -> verify -> destination
 *                   └ no chunk -> dead letter                            outcome -> ledger -> commit
 */
import {setMaxListeners} from 'node:events'
import {ExitCode, type StreamtoolError} from '../core/errors.js'
import type {
  Clock,
  Destination,
  GroupConsumer,
  Logger,
  PartitionRange,
  RecordProducer,
  SpillStore,
  StepObserver,
  TopicAdmin,
  TopicReader,
} from '../core/ports/index.js'
import type {DeliverReport, PipelineResult, Reporter} from '../core/report.js'
import {DeadLetters} from './delivery/dead-letters.js'
import {DeliveryHandler} from './delivery/delivery-handler.js'
import {HeldFiles} from './delivery/held-files.js'
import {LateCopies} from './delivery/late-copies.js'
import {Notices} from './delivery/notices.js'
import {waitForOthers} from './delivery/other-members.js'
import {StuckFiles} from './delivery/stuck-files.js'
import {Tally, type UnfinishedFile} from './delivery/tally.js'
import {type DeliveryView, viewOf} from './delivery/view.js'

export interface DeliverFilesOptions {
  readonly command: string
  readonly topic: string
  readonly group: string
  /** Stop at the end that the topic had at the start. */
  readonly once: boolean
  /** An incomplete file younger than this is `open`, which is no error. */
  readonly incompleteAfterMs: number
  /** Bounds chunks ahead of their turn and finished files that wait; what is fetched comes on top. */
  readonly memoryBytes: number
  /** Files verified and finished at once. */
  readonly concurrency: number
  readonly commitIntervalMs: number
  /** Commit early after so many files. */
  readonly commitFiles: number
  /** `newest`: delivering a generation supersedes the older ones of its path. `all`: each is delivered. */
  readonly generations: 'newest' | 'all'
  /** Whether a file is to be delivered, by its path; null when all are. */
  readonly wants: ((path: string) => boolean) | null
  /** What is given up goes there; null when nothing is. */
  readonly deadLetterTopic: string | null
  /** An incomplete file idle for so long is given up; null when it waits for ever. */
  readonly parkAfterMs: number | null
  /**
   * What becomes of a file that its destination does not take: it stays open for the next start, or goes to the
   * dead-letter topic, or ends the run (and stays open).
   */
  readonly onFailure: 'hold' | 'dead-letter' | 'stop'
  /** A held file is tried again after so long; null: at the next start. */
  readonly retryHeldMs: number | null
  /** How long files that are being finished may hold up the end of the run. */
  readonly stopDrainMs: number
}

export interface DeliverFilesPorts {
  readonly consumer: GroupConsumer
  readonly admin: TopicAdmin
  readonly reader: TopicReader
  /** For the dead-letter topic. */
  readonly producer: RecordProducer
  readonly destination: Destination
  readonly spill: SpillStore
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly steps: StepObserver
  /** Is given what can be seen of the run. */
  readonly onView?: (view: DeliveryView) => void
}

export interface DeliveryResult extends PipelineResult<DeliverReport> {
  /** It had no partitions for a while at least: what others read is not in the report. */
  readonly stoodBy: boolean
}

/**
 * Runs until the signal aborts or, with `once`, until everything below the end that the topic had at the start is
 * done, held or known to be incomplete.
 * @throws whatever makes going on impossible, such as an error that `endsRun`; what happened to single files is in
 *   the report
 */
export async function deliverFiles(
  options: DeliverFilesOptions,
  ports: DeliverFilesPorts,
  signal: AbortSignal,
): Promise<DeliveryResult> {
  const {admin, clock, logger, reporter} = ports
  const {command, topic, group, once} = options
  const startedMs = clock.nowMs()
  const {clusterId, partitionCount} = await admin.describeTopic(topic)
  const ends = await admin.partitionRanges(topic)
  const deadLetters = await openDeadLetters(options, ports)
  reporter.event({event: 'started', command, topic, group})
  if (once) {
    logger.info(
      'Run it more often than the brokers forget an idle group: offsets.retention.minutes, 7 days by default.',
    )
  }

  const through = new AbortController()
  /** Why the run ends before its time. */
  const ending: {error: StreamtoolError | null; isFailure: boolean} = {error: null, isFailure: false}
  const ended = AbortSignal.any([signal, through.signal])
  setMaxListeners(0, ended)
  const membership = {stoodBy: false}
  const tally = new Tally(reporter, logger)
  const notices = new Notices(logger, reporter)
  const handler: DeliveryHandler = new DeliveryHandler({
    ...options,
    ...ports,
    clusterId,
    partitionCount,
    tally,
    notices,
    deadLetters,
    onConcluded: ({outcome}) => {
      if (outcome !== 'held' || options.onFailure !== 'stop') return
      ending.isFailure = true
      through.abort()
    },
    onRunEnded: (error) => {
      ending.error ??= error
      through.abort()
    },
    onProgress: () => {
      membership.stoodBy ||= handler.assignment?.size === 0
      if (once) void endWhenThrough()
    },
  })
  ports.onView?.(viewOf(handler, tally))
  const {reassembly, partitions} = handler
  const lateCopies = new LateCopies({...ports, topic, isDone: (p, offset) => partitions.isDone(p, offset)})
  const stuckFiles = new StuckFiles({
    ...options,
    ...ports,
    reassembly,
    partitions,
    lateCopies,
    deadLetters,
    parksHeld: options.onFailure === 'dead-letter',
    notices,
  })
  const heldFiles = new HeldFiles({...options, reassembly, clock})
  const endWhenThrough = exclusively(async () => {
    if (!isThrough(handler, ends)) return
    await stuckFiles.review(ended)
    if (isThrough(handler, ends)) through.abort()
  })
  reporter.watch(() => progressOf(handler, tally, ends))

  const beside = once
    ? waitForOthers(
        {...ports, group, topic, clusterId, ends, ownsNothing: () => handler.assignment?.size === 0},
        through,
        ended,
      )
    : stuckFiles.reviewRegularly(ended)
  const retrying = heldFiles.retryRegularly(ended)
  let openAtEnd: UnfinishedFile[] = []
  // Taken before the consumer revokes, which discards what is open.
  ended.addEventListener('abort', () => (openAtEnd = unfinished(handler)), {once: true})
  try {
    await ports.consumer.run(handler, ended)
  } finally {
    through.abort()
    await Promise.all([beside, retrying])
    // A stop between two epochs finds files open that no partition is assigned for.
    await handler.reassembly.discardAll()
  }

  if (ending.error) throw ending.error
  const {stoodBy} = membership
  tally.unfinished(openAtEnd, clock.nowMs(), options.incompleteAfterMs)
  if (once && tally.records === 0) {
    logger.info(
      stoodBy
        ? `Other members of group ${group} read ${topic}; this one stood by.`
        : `Nothing new on ${topic} for group ${group}.`,
    )
  }
  const interrupted = once && signal.aborted
  const seconds = (clock.nowMs() - startedMs) / 1000
  const {report, exitCode} = tally.result({command, topic, group, interrupted, seconds})
  if (interrupted) return {report, stoodBy, exitCode: ExitCode.interrupted}
  return {report, stoodBy, exitCode: once || ending.isFailure ? exitCode : ExitCode.done}
}

/** @throws TOPIC_UNKNOWN, so that nothing is given up into the void */
async function openDeadLetters(
  {deadLetterTopic, group}: DeliverFilesOptions,
  {admin, producer, steps}: DeliverFilesPorts,
): Promise<DeadLetters | null> {
  if (deadLetterTopic === null) return null
  const {partitionCount} = await admin.describeTopic(deadLetterTopic, {mayCreate: true})
  return new DeadLetters({topic: deadLetterTopic, partitionCount, group, producer, steps})
}

/** Everything that was there at the start is read in our partitions, and nothing waits for its destination. */
function isThrough(handler: DeliveryHandler, ends: readonly PartitionRange[]): boolean {
  const {assignment} = handler
  if (assignment === null || assignment.size === 0 || handler.reassembly.backlogCount > 0) return false
  return ends.every(({partition, end}) => {
    const progress = assignment.get(partition)
    // A log that was truncated since has less to read.
    return progress === undefined || progress.readPosition >= Math.min(end, progress.endOffset)
  })
}

function unfinished({reassembly, trimmedLog}: DeliveryHandler): UnfinishedFile[] {
  return reassembly
    .openFiles()
    .filter(({state}) => state === 'open')
    .map((open) => ({
      file: open.file,
      newestTimestampMs: open.newestTimestampMs,
      missing: open.missingChunks(),
      isDoubtful: trimmedLog.concerns(open),
    }))
}

/** Calls while it runs do nothing, but have it run once more. */
function exclusively(work: () => Promise<void>): () => Promise<void> {
  let running = false
  let again = false
  return async () => {
    again = true
    if (running) return
    running = true
    try {
      while (again) {
        again = false
        await work()
      }
    } finally {
      running = false
    }
  }
}

function progressOf(handler: DeliveryHandler, tally: Tally, ends: readonly PartitionRange[]) {
  const {assignment, reassembly} = handler
  const behind = ends.some(({partition, end}) => (assignment?.get(partition)?.readPosition ?? end) < end)
  return {
    phase: assignment === null ? 'joining' : behind ? 'reading' : 'waiting',
    filesDone: tally.delivered,
    filesTotal: null,
    bytesDone: reassembly.writtenBytes,
    bytesTotal: null,
    filesOpen: reassembly.openCount,
    currentPath: null,
  }
}
