/**
 * Records from one topic to another, one by one.
 *
 *     records -> skip what the ledger knows -> transform -> partition -> output -> acknowledged -> ledger -> commit
 *                                                 └ attempts used up -> dead letter | skipped | the run stops
 *
 * - Whatever a transform leaves alone arrives as it was: key, value or its absence, headers, time.
 * - The offset of a record is committed only when everything that was made of it is acknowledged by the output, or its
 *   dead letter is. So a record is relayed at least once, whatever dies.
 * - What comes from one partition and goes to one partition keeps its order. After a crash or a lost answer some of it
 *   comes once more, as a run in the same order.
 */
import {setMaxListeners} from 'node:events'
import {ExitCode} from '../core/errors.js'
import {isAborted} from '../core/flow/index.js'
import type {
  Clock,
  GroupConsumer,
  Logger,
  PartitionRange,
  RecordProducer,
  RunControl,
  StepObserver,
  TopicAdmin,
} from '../core/ports/index.js'
import type {RecordTransform} from '../core/relay/index.js'
import type {PipelineResult, RelayReport, Reporter} from '../core/report.js'
import {waitForOthers} from './delivery/other-members.js'
import {InputBinding, OutputBinding} from './relaying/binding.js'
import {latestStarts} from './relaying/latest.js'
import type {RelayOptions} from './relaying/options.js'
import {RelayControl} from './relaying/relay-control.js'
import type {RelayHandler} from './relaying/relay-handler.js'
import {isThrough, relayRun} from './relaying/relay-run.js'
import {RelayTally} from './relaying/tally.js'
import {prepareTopics} from './relaying/topics.js'
import {BrokerWatch} from './running/broker-watch.js'

export interface RelayPorts {
  /** A member of the options' group that reads the options' inputs; it may run several times. */
  readonly consumer: GroupConsumer
  readonly admin: TopicAdmin
  readonly producer: RecordProducer
  readonly transform: RecordTransform
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly steps: StepObserver
  /** Is given what shows and controls the run, before anything is asked of Kafka. */
  readonly onControl?: (control: RunControl) => void
}

/**
 * Runs until the signal aborts or, with `once`, until everything below the end that the inputs had at the start is done.
 * @throws RECORD_FAILED when a record failed and that is to stop the run; whatever else makes going on impossible
 */
export async function relayRecords(
  options: RelayOptions,
  ports: RelayPorts,
  signal: AbortSignal,
): Promise<PipelineResult<RelayReport>> {
  const {admin, consumer, clock, reporter} = ports
  const {command, inputs, output, group, once} = options
  const startedMs = clock.nowMs()
  const through = new AbortController()
  const ended = AbortSignal.any([signal, through.signal])
  setMaxListeners(0, ended)
  const tally = new RelayTally()
  const binding = new InputBinding()
  const outputBinding = new OutputBinding()
  const watch = new BrokerWatch({admin, topics: [...inputs, output], clock})
  const bindings = {binding, outputBinding}
  const {logger} = ports
  const control = new RelayControl({
    ...bindings,
    options,
    startedMs,
    tally,
    watch,
    logger,
    end: through,
    signal,
  })
  ports.onControl?.(control)

  const topics = await prepareTopics(options, ports)
  const ends = (await Promise.all(inputs.map((topic) => admin.partitionRanges(topic)))).flat()
  const latest = await latestStarts(options, admin, ends)
  reporter.event({event: 'started', command, topic: inputs.join(','), group})

  const failure: {error: Error | null} = {error: null}
  const {handler, notices} = relayRun(options, {
    ...ports,
    topics,
    latestStarts: latest,
    tally,
    ...bindings,
    onProgress: () => {
      if (once && isThrough(handler, ends)) through.abort()
    },
    onFailed: (error) => {
      failure.error ??= error
      through.abort()
    },
  })
  control.runs(handler)
  reporter.watch(() => progressOf(handler, tally))

  const beside = [watch.run(ended)]
  if (once) beside.push(endWithOthers(options, ports, ends, topics.output.clusterId, handler, through, ended))
  try {
    while (!isAborted(ended)) {
      await binding.whenStarted(ended)
      if (isAborted(ended)) break
      await binding.live((stopped) => consumer.run(handler, AbortSignal.any([ended, stopped])))
    }
  } finally {
    through.abort()
    await Promise.all(beside)
    control.ended()
  }
  if (failure.error !== null) throw failure.error

  const interrupted = once && signal.aborted
  const {read, written, failed, deadLettered} = tally
  const report: RelayReport = {
    schema: 1,
    command,
    input: inputs.join(','),
    output,
    group,
    interrupted,
    records: {read, written, failed, deadLettered},
    seconds: (clock.nowMs() - startedMs) / 1000,
  }
  if (interrupted) return {report, exitCode: ExitCode.interrupted}
  const isUnfinished = failed > 0 || notices.recordsLost
  return {report, exitCode: once && isUnfinished ? ExitCode.filesUnfinished : ExitCode.done}
}

/** A member that owns nothing is through when the others are, of every input. */
async function endWithOthers(
  {inputs, group}: RelayOptions,
  ports: RelayPorts,
  ends: readonly PartitionRange[],
  clusterId: string,
  handler: RelayHandler,
  through: AbortController,
  ended: AbortSignal,
): Promise<void> {
  const others = inputs.map(async (topic) => {
    const topicThrough = new AbortController()
    await waitForOthers(
      {
        ...ports,
        group,
        topic,
        clusterId,
        ends: ends.filter((range) => range.topic === topic),
        ownsNothing: () => handler.tables?.size === 0,
      },
      topicThrough,
      AbortSignal.any([ended, topicThrough.signal]),
    )
  })
  await Promise.all(others)
  through.abort()
}

function progressOf({tables}: RelayHandler, tally: RelayTally) {
  const isBehind = [...(tables?.values() ?? [])].some((table) => !table.standsAtEnd())
  return {
    phase: tables === null ? 'joining' : isBehind ? 'relaying' : 'waiting',
    unit: 'record' as const,
    filesDone: tally.read,
    filesTotal: null,
    bytesDone: tally.bytesTaken,
    bytesTotal: null,
    filesOpen: tally.taken - tally.read,
    currentPath: null,
  }
}
