/**
 * One call of a plugin for one file, from its context to its end:
 *
 *     call -> returned -> all that it produced, and what it returned, is acknowledged -> success
 *       ├ threw, rejected, returned an Error, or an error came out of a timer of its own -> PROCESSING_FAILED
 *       └ told to stop -> the signal's reason, whatever it still returns; at the latest after the grace: abandoned
 *
 * A plugin that returns because it was told to stop has not processed the file, and nobody can tell that from one that
 * was done just then. So whoever was told to stop has failed; a file is processed again rather than not at all.
 */
import {isAborted} from '../../core/flow/index.js'
import type {Clock, Logger, StagedFile} from '../../core/ports/index.js'
import type {FileInfo, ProcessedFile, Processor, ProcessorContext, ProcessorLog} from '../contract.js'
import type {ResultSink} from '../results.js'
import {isError} from '../stack.js'
import {pluginFailure} from './failure.js'
import {type Lock, whileLocked} from './lock.js'
import {asOurselves, asPlugin, type PluginWork} from './plugin-work.js'
import {pluginLog} from './plugin-log.js'
import {openProcessedFile} from './processed-file.js'
import {Produced} from './produced.js'

export interface AttemptSurroundings {
  readonly processor: Processor
  readonly options: Readonly<Record<string, unknown>>
  readonly outputDir: string
  readonly logger: Logger
  readonly sink: ResultSink
  readonly lock: Lock
  readonly clock: Clock
  /** How long a plugin may take to end when it was told to. */
  readonly graceMs: number
  /** Whose late errors these are. */
  readonly owner: object
}

export type Call = (context: ProcessorContext) => unknown

/** @throws PROCESSING_FAILED, what ends the run, or the signal's reason */
export async function attempt(
  surroundings: AttemptSurroundings,
  info: FileInfo,
  content: StagedFile,
  signal: AbortSignal,
): Promise<unknown> {
  const {processor, sink} = surroundings
  const opened = openProcessedFile(info, content, signal)
  try {
    const call: Call = (context) => processor.process?.(opened.file satisfies ProcessedFile, context)
    return await callForFile(surroundings, info, signal, call, (returned) =>
      sink.returned(returned, info, signal),
    )
  } catch (thrown) {
    if (isAborted(signal)) throw signal.reason
    throw pluginFailure('PROCESSING_FAILED', processor.name, `failed on ${info.path}`, thrown)
  } finally {
    opened.close()
  }
}

/** Also for `failed` and `mismatched`. @throws what the plugin threw, or the signal's reason */
export async function callForFile(
  surroundings: AttemptSurroundings,
  info: FileInfo,
  signal: AbortSignal,
  call: Call,
  keep: (returned: unknown) => Promise<void> = async () => undefined,
): Promise<unknown> {
  signal.throwIfAborted()
  const {sink, lock, options, outputDir, owner} = surroundings
  const produced = new Produced()
  const late = new LateError(owner)
  const context: ProcessorContext = {
    options: options as ProcessorContext['options'],
    outputDir,
    signal,
    log: logFor(surroundings, info),
    lock: (work) => whileLocked(lock, signal, work),
    produce: (record) => produced.add(() => asOurselves(() => sink.produce(record, info, signal))),
  }
  const work = async () => {
    const returned = await asPlugin(late, () => call(context))
    await produced.settled()
    if (isError(returned)) throw returned
    signal.throwIfAborted()
    await keep(returned)
    return returned
  }
  try {
    return await unlessAbandoned(Promise.race([work(), late.thrown]), surroundings, info, signal)
  } finally {
    late.close()
    produced.close()
  }
}

/** An error that nobody awaited, while the attempt goes on: it is the attempt's. */
class LateError implements PluginWork {
  readonly thrown: Promise<never>
  private reject: (thrown: unknown) => void = () => undefined
  private isOver = false

  constructor(readonly owner: object) {
    this.thrown = new Promise<never>((_, reject) => {
      this.reject = reject
    })
    this.thrown.catch(() => undefined)
  }

  fail(thrown: unknown): boolean {
    if (this.isOver) return false
    this.reject(thrown)
    return true
  }

  close(): void {
    this.isOver = true
  }
}

async function unlessAbandoned<T>(
  working: Promise<T>,
  {clock, graceMs, logger, processor}: AttemptSurroundings,
  {path, attempt: number}: FileInfo,
  signal: AbortSignal,
): Promise<T> {
  const over = new AbortController()
  let onAbort: () => void = () => undefined
  const abandoned = new Promise<never>((_, reject) => {
    onAbort = () => {
      clock.sleep(graceMs, over.signal).then(
        () => {
          logger.warn(
            `${processor.name} goes on with ${path} although it was told to stop ${graceMs / 1000} s ago; it is left to itself. Only --isolate process can end it. A processor that heeds context.signal stops by itself.`,
            {processor: processor.name, file: path, attempt: number},
          )
          reject(signal.reason as Error)
        },
        () => undefined,
      )
    }
    signal.addEventListener('abort', onAbort, {once: true})
  })
  try {
    return await Promise.race([working, abandoned])
  } finally {
    over.abort()
    signal.removeEventListener('abort', onAbort)
    working.catch(() => undefined)
  }
}

function logFor({logger, processor}: AttemptSurroundings, {path, attempt: number}: FileInfo): ProcessorLog {
  return pluginLog(logger, {processor: processor.name, file: path, attempt: number})
}
