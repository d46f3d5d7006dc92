/**
 * What is on a topic now, without joining a group and without changing anything.
 *
 *     every partition, from its start to its end now -> decode -> generation (which chunks, hashed in passing)
 *                                                    └ no chunk -> counted by reason
 *     asked to verify: chunks that came ahead of their turn are read again, in file order
 *
 * Memory: about 2 KB a file and none of their data, besides what is being fetched.
 */
import {decodeChunk} from '../core/chunk/index.js'
import {ExitCode, worstExitCode} from '../core/errors.js'
import {isAborted} from '../core/flow/index.js'
import type {InspectReport} from '../core/inspect-report.js'
import type {Clock, ConsumedRecord, PartitionRange, TopicAdmin, TopicReader} from '../core/ports/index.js'
import type {PipelineResult, Progress, Reporter} from '../core/report.js'
import {type StandingGroup, standingOf} from './inspection/group-standing.js'
import {Inventory} from './inspection/inventory.js'
import {readAgain} from './inspection/read-again.js'
import {sideBySide} from './inspection/side-by-side.js'
import {sumUp} from './inspection/sum-up.js'
import {TopicCounts} from './inspection/topic-counts.js'

export interface InspectTopicOptions {
  readonly command: string
  readonly topic: string
  /** Tells where this group stands, too. */
  readonly group: string | null
  /** Reads files again whose chunks are not in order, so that the content of each is checked. */
  readonly verify: boolean
  /** Lets files that are corrupt or incomplete make the exit code. */
  readonly check: boolean
  /** Whether a file is to be told of, by its path; null when all are. */
  readonly wants: ((path: string) => boolean) | null
}

export interface InspectTopicPorts {
  readonly admin: TopicAdmin
  readonly reader: TopicReader
  readonly clock: Clock
  readonly reporter: Reporter
}

/** Each holds two answers of up to 8 MiB. */
const PARTITIONS_AT_ONCE = 4
const FILES_READ_AGAIN_AT_ONCE = 4

/** @throws TOPIC_UNKNOWN, NOT_AUTHORISED, BROKER_UNREACHABLE, CODEC_UNKNOWN, BATCH_CORRUPT */
export async function inspectTopic(
  options: InspectTopicOptions,
  ports: InspectTopicPorts,
  signal: AbortSignal,
): Promise<PipelineResult<InspectReport>> {
  const {command, topic, group} = options
  const {admin, clock, reporter} = ports
  const startedMs = clock.nowMs()
  const ranges = await admin.partitionRanges(topic)
  const standing = group === null ? null : await standingOf(admin, group, topic, ranges)
  reporter.event({event: 'started', command, topic, ...(group === null ? {} : {group})})
  const inspection = new Inspection(options, ports, ranges, standing)
  reporter.watch(() => inspection.progress())
  try {
    await inspection.read(signal)
    if (options.verify) await inspection.readAgain(signal)
  } catch (error) {
    if (!isAborted(signal)) throw error
  }
  const {counts, inventory} = inspection
  const {files, ...summary} = sumUp(inventory, standing, (file) =>
    reporter.event({event: 'file.inspected', ...file}),
  )
  const report: InspectReport = {
    schema: 1,
    command,
    topic,
    interrupted: isAborted(signal),
    ...counts.sums(),
    files,
    ...summary,
    partitions: counts.partitionList(),
    seconds: (clock.nowMs() - startedMs) / 1000,
  }
  return {report, exitCode: exitCodeOf(report, options)}
}

class Inspection {
  readonly counts: TopicCounts
  readonly inventory: Inventory

  constructor(
    private readonly options: InspectTopicOptions,
    private readonly ports: InspectTopicPorts,
    private readonly ranges: readonly PartitionRange[],
    private readonly standing: StandingGroup | null,
  ) {
    this.counts = new TopicCounts(ranges)
    this.inventory = new Inventory({
      content: {keepPlaces: options.verify, hashes: 0},
      withGroup: standing !== null,
    })
  }

  async read(signal: AbortSignal): Promise<void> {
    const {reader} = this.ports
    await sideBySide(this.ranges, PARTITIONS_AT_ONCE, signal, (range, stop) =>
      reader.read(range, async (records) => records.forEach((record) => this.take(record)), stop),
    )
  }

  async readAgain(signal: AbortSignal): Promise<void> {
    const {reader} = this.ports
    await sideBySide(this.inventory.unchecked(), FILES_READ_AGAIN_AT_ONCE, signal, (generation, stop) =>
      readAgain(generation, this.options.topic, reader, stop),
    )
  }

  progress(): Progress {
    const {completeCount, generationCount} = this.inventory
    return {
      phase: 'reading',
      filesDone: completeCount,
      filesTotal: null,
      bytesDone: this.counts.bytes,
      bytesTotal: null,
      filesOpen: generationCount - completeCount,
      currentPath: null,
    }
  }

  private take(record: ConsumedRecord): void {
    const {topic, partition, offset} = record
    const decoded = decodeChunk(record)
    if ('poison' in decoded) {
      this.counts.poison(record, decoded)
      const {poison: code, reason} = decoded
      this.ports.reporter.event({event: 'record.poison', topic, partition, offset, code, reason})
      return
    }
    this.counts.chunk(record)
    const {wants} = this.options
    if (wants !== null && !wants(decoded.path)) return
    this.inventory.accept(decoded, record, this.standing?.isDone(partition, offset) ?? false)
  }
}

/** By itself an inspection has succeeded when it could look at everything, whatever it found. */
function exitCodeOf({interrupted, files}: InspectReport, {check}: InspectTopicOptions): ExitCode {
  if (interrupted) return ExitCode.interrupted
  if (!check) return ExitCode.done
  return worstExitCode([
    ...(files.corrupt > 0 ? [ExitCode.dataMismatch] : []),
    ...(files.incomplete > 0 ? [ExitCode.filesUnfinished] : []),
  ])
}
