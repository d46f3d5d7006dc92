/**
 * The host for processors that run in this process: no cost per file, and no fence. What a plugin does to one file it
 * can do to all of them: it can block the event loop (it is named, blocking-watch.ts), and it can fail where nobody
 * awaits it (late-errors.ts). `--isolate process` (isolated/) is the fence.
 */
import type {StreamtoolError} from '../../core/errors.js'
import {abortable} from '../../core/flow/index.js'
import type {Clock, Logger} from '../../core/ports/index.js'
import type {FileInfo, Processor} from '../contract.js'
import type {ProcessorHost} from '../host.js'
import {originOf} from '../origin.js'
import type {ResultSink} from '../results.js'
import {LocalLock} from '../running/lock.js'
import {ProcessorRunner} from '../running/runner.js'
import {BlockingWatch} from './blocking-watch.js'
import {catchLateErrors} from './late-errors.js'

export interface InProcessOptions {
  readonly processor: Processor
  /** What `context.options` holds: the values of its flags. */
  readonly options: Readonly<Record<string, unknown>>
  /** Absolute, and there. */
  readonly outputDir: string
  readonly sink: ResultSink
  readonly logger: Logger
  readonly clock: Clock
  /** Aborted when the run ends. */
  readonly signal: AbortSignal
  /** Told at once of what ends the run; every call rejects with it, too. */
  readonly onBroken?: (error: StreamtoolError) => void
  /** How long an attempt that was told to stop is waited for. */
  readonly graceMs?: number
  /** The thread that speaks while the event loop is blocked; null: none. */
  readonly watchdog?: URL | null
}

export const GRACE_MS = 3_000

export function createInProcessHost(options: InProcessOptions): ProcessorHost {
  return new InProcessHost(options)
}

class InProcessHost implements ProcessorHost {
  readonly name: string
  private readonly runner: ProcessorRunner
  private readonly broken = new AbortController()
  private watch: BlockingWatch | null = null
  private stopCatching: () => void = () => undefined

  constructor(private readonly options: InProcessOptions) {
    const {graceMs = GRACE_MS} = options
    this.name = options.processor.name
    this.runner = new ProcessorRunner({
      ...options,
      graceMs,
      lock: new LocalLock(),
      owner: this,
      onUnderWay: () => this.watch?.changed(),
    })
  }

  async start(): Promise<void> {
    const {processor, logger, watchdog} = this.options
    this.stopCatching = catchLateErrors({
      owner: this,
      processor: this.name,
      path: originOf(processor),
      onLateError: (error) => {
        this.break(error)
      },
    })
    this.watch = new BlockingWatch({
      processor: this.name,
      logger,
      workingOn: () => [...this.runner.underWay.values()].map(({path}) => path),
      ...(watchdog === undefined ? {} : {watchdog}),
    })
    await this.unlessBroken(this.runner.setup())
  }

  async process(...call: Parameters<ProcessorHost['process']>): Promise<unknown> {
    this.broken.signal.throwIfAborted()
    return this.unlessBroken(this.runner.process(...call))
  }

  failed(...call: Parameters<ProcessorHost['failed']>): Promise<void> {
    return this.runner.failed(...call)
  }

  mismatched(info: FileInfo, signal: AbortSignal): Promise<void> {
    return this.runner.mismatched(info, signal)
  }

  async close(): Promise<void> {
    await this.runner.teardown()
    await this.watch?.close()
    this.stopCatching()
  }

  private async unlessBroken<T>(work: Promise<T>): Promise<T> {
    return abortable(work, this.broken.signal)
  }

  private break(error: StreamtoolError): void {
    const {logger, onBroken} = this.options
    if (this.broken.signal.aborted) {
      logger.error(error.message, {processor: this.name})
      return
    }
    this.broken.abort(error)
    onBroken?.(error)
  }
}
