/**
 * Files and records that were given up, once more.
 *
 *     dead-letter topic -> letters -> the records that they refer to -> assembly -> verify -> destination
 *                                                                         outcome -> letter done -> commit
 *
 * What is delivered, or superseded, has its letters done: the offsets that a group of its own has on the dead-letter
 * topic say so. Everything else keeps them, and is tried again the next time. Nothing is written to any topic.
 */
import {ExitCode, type StreamtoolError} from '../core/errors.js'
import {isAborted} from '../core/flow/index.js'
import {LEDGER_EFFECT} from '../core/offsets/index.js'
import type {
  Clock,
  Destination,
  Logger,
  SpillStore,
  StepObserver,
  TopicAdmin,
  TopicReader,
} from '../core/ports/index.js'
import {type Conclusion, Reassembly} from '../core/reassembly/index.js'
import type {DeliverReport, PipelineResult, Reporter} from '../core/report.js'
import type {PartitionTable} from './delivery/partition-table.js'
import {Tally} from './delivery/tally.js'
import {commitLetters, ledgersOf} from './retrying/letter-ledgers.js'
import {readLetters} from './retrying/letters.js'
import {findMissingChunks} from './retrying/missing-chunks.js'
import {ReferredRecords} from './retrying/referred-records.js'
import {isChunkOf, type ParkedGeneration, parkedGenerations} from './retrying/parked-generations.js'

export interface RetryFilesOptions {
  readonly command: string
  /** The dead-letter topic. */
  readonly from: string
  /** Only letters that are about this topic; null: all. */
  readonly topic: string | null
  /** Keeps which letters are done. */
  readonly group: string
  readonly memoryBytes: number
  readonly concurrency: number
}

export interface RetryFilesPorts {
  readonly admin: TopicAdmin
  readonly reader: TopicReader
  readonly destination: Destination
  readonly spill: SpillStore
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly steps: StepObserver
}

/** @throws TOPIC_UNKNOWN, BROKER_UNREACHABLE, …; what happened to single files is in the report */
export async function retryFiles(
  options: RetryFilesOptions,
  ports: RetryFilesPorts,
  signal: AbortSignal,
): Promise<PipelineResult<DeliverReport>> {
  const {command, from, group} = options
  const {clock, logger, reporter} = ports
  const startedMs = clock.nowMs()
  const {clusterId} = await ports.admin.describeTopic(from)
  reporter.event({event: 'started', command, topic: from, group})
  const tally = new Tally(reporter, logger)
  const ledgers = await ledgersOf(options, ports.admin, clusterId)
  const records = new ReferredRecords(ports.reader, ports.admin)
  try {
    const letters = await readLetters(options, ports, ledgers, signal)
    tally.records += letters.length
    const {generations, refused} = await parkedGenerations(letters, records, signal)
    for (const each of refused) tally.refusedAgain(each.letter.origin, each.code, each.reason)
    const retry = async (those: readonly ParkedGeneration[], isLast: boolean) => {
      const incomplete: ParkedGeneration[] = []
      for (const generation of those) {
        if (isAborted(signal)) break
        const result = await retryGeneration(
          generation,
          records,
          {...options, ...ports, tally},
          isLast,
          signal,
        )
        if (result === 'incomplete') incomplete.push(generation)
        if (result === 'done')
          for (const {partition, offset} of generation.letters) markDone(ledgers, partition, offset)
      }
      return incomplete
    }
    const incomplete = await retry(generations, false)
    await findMissingChunks(incomplete, records, logger, signal)
    await retry(incomplete, true)
  } catch (thrown) {
    if (!isAborted(signal)) {
      // What was delivered so far is kept if it can be; what went wrong first is what is told.
      await commitLetters(options, ports, ledgers, clusterId).catch(() => undefined)
      throw thrown
    }
  }
  await commitLetters(options, ports, ledgers, clusterId)
  const interrupted = isAborted(signal)
  const seconds = (clock.nowMs() - startedMs) / 1000
  const {report, exitCode} = tally.result({command, topic: from, group, interrupted, seconds})
  return {report, exitCode: interrupted ? ExitCode.interrupted : exitCode}
}

type Surroundings = RetryFilesOptions & RetryFilesPorts & {readonly tally: Tally}

/** @returns `incomplete`: chunks are missing, and nothing was told of it unless this was the last try */
async function retryGeneration(
  generation: ParkedGeneration,
  records: ReferredRecords,
  {tally, clock, ...options}: Surroundings,
  isLast: boolean,
  signal: AbortSignal,
): Promise<'done' | 'incomplete' | 'failed'> {
  const {topic, path, records: wanted} = generation
  let conclusion: Conclusion | null = null
  const ending: {error: StreamtoolError | null} = {error: null}
  let rereadsWanted = 0
  let gone = 0
  const reassembly = new Reassembly({
    ...options,
    topic,
    generations: 'newest',
    onConcluded: (each) => (conclusion = each),
    onReread: () => (rereadsWanted += 1),
    onRunEnded: (error) => (ending.error ??= error),
  })
  do {
    rereadsWanted = 0
    gone = await records.read(
      {topic, records: wanted},
      async (decoded, record) => {
        if (!isChunkOf(generation, decoded)) return false
        reassembly.accept(decoded, record, clock.nowMs())
        await reassembly.absorbed()
        return true
      },
      signal,
    )
    await reassembly.drained()
  } while (rereadsWanted > 0)
  const [open] = reassembly.openFiles()
  const missing = open?.missingChunks()
  await reassembly.discardAll()
  if (ending.error !== null) throw ending.error
  const concluded = conclusion as Conclusion | null
  if (concluded !== null) {
    tally.concluded(concluded)
    return LEDGER_EFFECT[concluded.outcome] === 'done' ? 'done' : 'failed'
  }
  if (!isLast) return 'incomplete'
  if (gone === 0 && open && missing)
    tally.unfinished(
      [{file: open.file, newestTimestampMs: open.newestTimestampMs, missing}],
      clock.nowMs(),
      0,
    )
  else tally.gone(path, gone, topic)
  return 'incomplete'
}

function markDone(table: PartitionTable, partition: number, offset: number): void {
  table.get(partition)?.ledger.markDone([{start: offset, end: offset + 1}])
}
