/**
 * Files from a source to a topic.
 *
 *     files -> hash -> cut into chunks -> batch by partition -> produce -> acknowledged
 *
 * A file counts as uploaded when every one of its chunks is acknowledged. What happens to one file (unreadable,
 * changing) is a problem in the report; what happens to the broker ends the run.
 */
import {setMaxListeners} from 'node:events'
import {RECORD_BATCH_HEADER_BYTES, type WireFormat} from '../core/chunk/index.js'
import {asStreamtoolError, ExitCode, StreamtoolError, worstExitCode} from '../core/errors.js'
import {Batcher, isAborted, Semaphore} from '../core/flow/index.js'
import type {
  Clock,
  FileSource,
  Logger,
  RecordProducer,
  SourceFile,
  SourceProblem,
  StepObserver,
  TopicAdmin,
} from '../core/ports/index.js'
import type {PipelineResult, Problem, Reporter, UploadReport} from '../core/report.js'
import {FileSender} from './sending/file-sender.js'

export interface SendFilesOptions {
  readonly command: string
  readonly topic: string
  readonly chunkBytes: number
  readonly wireFormat: WireFormat
  /** Bytes of chunks read but not acknowledged yet, over all files. */
  readonly inFlightBytes: number
  readonly metadata: Readonly<Record<string, string>>
}

export interface SendFilesPorts {
  readonly source: FileSource
  readonly admin: TopicAdmin
  readonly producer: RecordProducer
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly steps: StepObserver
}

/** Kafka's default max.message.bytes, for topics whose settings may not be read. */
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588
/** Batches of small files need not be larger than this, whatever the topic allows. */
const LARGEST_BATCH_BYTES = 1_048_588
/** What path, key and headers of an ordinary file take beside its data. */
const ORDINARY_OVERHEAD_BYTES = 1024
/** Files read and waiting for acknowledgement at once; their bytes have a bound of their own. */
const FILES_AT_ONCE = 64

/** @throws TOPIC_UNKNOWN, CHUNK_TOO_LARGE_FOR_TOPIC, BROKER_UNREACHABLE and their like */
export async function sendFiles(
  options: SendFilesOptions,
  ports: SendFilesPorts,
  signal: AbortSignal,
): Promise<PipelineResult<UploadReport>> {
  const {source, admin, producer, clock, logger, reporter, steps} = ports
  const {command, topic, chunkBytes, inFlightBytes} = options
  const startedMs = clock.nowMs()
  const {partitionCount, maxMessageBytes} = await admin.describeTopic(topic, {mayCreate: true})
  const topicMaxBatchBytes = maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES
  requireFittingChunks(topic, chunkBytes, topicMaxBatchBytes)
  reporter.event({event: 'started', command, topic})

  const tally = new UploadTally(reporter, logger)
  reporter.watch(() => tally.progress())
  const counting = countAhead(source, tally, signal)
  // Ends everything under way when the user or an error of the whole run says so.
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  // Every file and request under way listens to it.
  setMaxListeners(0, stop)
  const sender = new FileSender({
    ...options,
    clock,
    partitionCount,
    topicMaxBatchBytes,
    signal: stop,
    batcher: new Batcher({
      topic,
      producer,
      maxBatchBytes: Math.max(
        Math.min(topicMaxBatchBytes, LARGEST_BATCH_BYTES),
        chunkBytes + ORDINARY_OVERHEAD_BYTES,
      ),
      inFlightBytes,
      steps,
      signal: stop,
    }),
    onChunkAcknowledged: (bytes) => tally.chunkAcknowledged(bytes),
    onChanged: (file) => logger.warn(`${file.localPath} changed while it was read; sending it anew.`),
  })

  const sendOne = async (file: SourceFile) => {
    try {
      tally.uploaded(file, await sender.send(file))
    } catch (thrown) {
      if (isAborted(stop)) return
      const error = asStreamtoolError(thrown)
      if (error.code === 'FILE_CHANGED' || error.code === 'FILE_UNREADABLE') tally.failed(file.path, error)
      else failed.abort(error)
    }
  }
  const places = new Semaphore(FILES_AT_ONCE)
  const underWay = new Set<Promise<void>>()
  for await (const file of source.list()) {
    if (isAborted(stop)) break
    if ('code' in file) {
      if (file.code === 'FILE_SKIPPED') tally.skipped(file)
      else tally.failed(file.path ?? file.localPath, new StreamtoolError(file.code, file.reason))
      continue
    }
    const release = await places.acquire()
    const sending = sendOne(file).finally(() => {
      release()
      underWay.delete(sending)
    })
    underWay.add(sending)
  }
  await Promise.all(underWay)
  await counting
  if (isAborted(failed.signal)) throw asStreamtoolError(failed.signal.reason)
  return tally.result({
    command,
    topic,
    interrupted: isAborted(signal),
    seconds: (clock.nowMs() - startedMs) / 1000,
  })
}

/** A walk of its own beside the sending, so that progress can say how much is left. */
async function countAhead(source: FileSource, tally: UploadTally, signal: AbortSignal): Promise<void> {
  let files = 0
  let bytes = 0
  try {
    for await (const file of source.list()) {
      if (isAborted(signal)) return
      if ('code' in file) continue
      files += 1
      bytes += file.sizeBytes
    }
    tally.total = {files, bytes}
  } catch {
    // Whoever sends meets the same error, and reports it.
  }
}

function requireFittingChunks(topic: string, chunkBytes: number, maxMessageBytes: number): void {
  const largest = maxMessageBytes - RECORD_BATCH_HEADER_BYTES - ORDINARY_OVERHEAD_BYTES
  if (chunkBytes <= largest) return
  throw new StreamtoolError(
    'CHUNK_TOO_LARGE_FOR_TOPIC',
    `A chunk of ${chunkBytes} bytes does not fit topic ${topic}, whose max.message.bytes is ${maxMessageBytes}.`,
    {
      facts: {topic, chunkBytes, maxMessageBytes},
      suggestions: [
        largest >= 1024
          ? `Use --chunk-size ${Math.floor(largest / 1024)}KiB or less.`
          : `The topic takes only tiny records; chunks need ${2048 + ORDINARY_OVERHEAD_BYTES} bytes at least.`,
        `Raise max.message.bytes of the topic to at least ${chunkBytes + 2 * ORDINARY_OVERHEAD_BYTES}.`,
      ],
    },
  )
}

class UploadTally {
  total: {readonly files: number; readonly bytes: number} | null = null
  private files = {uploaded: 0, skipped: 0, failed: 0}
  private bytes = 0
  private records = 0
  private acknowledgedBytes = 0
  private currentPath: string | null = null
  private readonly problems: Problem[] = []
  private readonly exitCodes: ExitCode[] = []

  constructor(
    private readonly reporter: Reporter,
    private readonly logger: Logger,
  ) {}

  chunkAcknowledged(bytes: number): void {
    this.records += 1
    this.acknowledgedBytes += bytes
  }

  uploaded(
    file: SourceFile,
    {uploadId, sha512, sizeBytes, chunks, partition}: Awaited<ReturnType<FileSender['send']>>,
  ): void {
    this.files.uploaded += 1
    this.bytes += sizeBytes
    this.currentPath = file.path
    const facts = {
      path: file.path,
      bytes: sizeBytes,
      chunks,
      partition,
      sha512: sha512.toString('hex'),
      uploadId,
    }
    this.reporter.event({event: 'file.uploaded', ...facts})
  }

  /** What nobody asked for, such as a link inside a directory: told, and no failure. */
  skipped({localPath, path, code, reason}: SourceProblem): void {
    this.files.skipped += 1
    const name = path ?? localPath
    this.problems.push({path: name, outcome: 'skipped', code, reason})
    this.reporter.event({event: 'file.skipped', path: name, code, reason})
    this.logger.info(`Skipped: ${localPath}. ${reason}`, {code})
  }

  failed(path: string, error: StreamtoolError): void {
    this.files.failed += 1
    this.exitCodes.push(ExitCode.filesUnfinished)
    this.problems.push({path, outcome: 'failed', code: error.code, reason: error.message})
    this.reporter.event({event: 'file.failed', path, code: error.code, reason: error.message})
    this.logger.error(`Not uploaded: ${path}. ${error.message}`, {code: error.code})
  }

  progress() {
    return {
      phase: 'sending',
      filesDone: this.files.uploaded,
      filesTotal: this.total?.files ?? null,
      bytesDone: this.acknowledgedBytes,
      bytesTotal: this.total?.bytes ?? null,
      filesOpen: 0,
      currentPath: this.currentPath,
    }
  }

  result(
    run: Pick<UploadReport, 'command' | 'topic' | 'interrupted' | 'seconds'>,
  ): PipelineResult<UploadReport> {
    const {files, bytes, records, problems} = this
    const report = {schema: 1 as const, ...run, files, bytes, records, problems}
    return {report, exitCode: run.interrupted ? ExitCode.interrupted : worstExitCode(this.exitCodes)}
  }
}
