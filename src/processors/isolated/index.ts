/**
 * The host behind `--isolate process`: a forked process for each file that is worked on at a time. A plugin that exits,
 * runs out of memory, is killed or blocks its event loop harms the one file that it had; another process takes its
 * place. One that does not stop when it is told to is killed.
 *
 *     start -> the first process loads the plugin and calls `setup`; the others follow when there is work for them
 *     process -> an idle one, or a new one        died -> PROCESSOR_CRASHED for its file, and it is forgotten
 *     close -> `teardown` in each
 *
 * `setup` and `teardown` are called in each process. Contents are read from the staged file, or come over the channel
 * when files are kept in memory; the lock, results and log lines are the parent's.
 */
import {asStreamtoolError} from '../../core/errors.js'
import {abortable, Semaphore} from '../../core/flow/index.js'
import type {Clock, Logger, StagedFile} from '../../core/ports/index.js'
import type {FileInfo} from '../contract.js'
import type {ProcessorHost} from '../host.js'
import type {ResultSink} from '../results.js'
import {LocalLock} from '../running/lock.js'
import {WorkerProcess} from './worker-process.js'

export interface IsolatedOptions {
  /** Of the processor. */
  readonly name: string
  /** As after `--plugin`; the processes load it by themselves, as `loadProcessor` does. */
  readonly plugin: string
  readonly from: string
  readonly also?: readonly string[]
  readonly reservedFlags?: Iterable<string>
  readonly options: Readonly<Record<string, unknown>>
  /** Absolute, and there. */
  readonly outputDir: string
  /** So many processes at most. */
  readonly concurrency: number
  readonly sink: ResultSink
  readonly logger: Logger
  readonly clock: Clock
  /** Aborted when the run ends. */
  readonly signal: AbortSignal
  /** How long an attempt that was told to stop is waited for. */
  readonly graceMs?: number
  /** For the heap of each process, in MiB; Node's own limit unless given. */
  readonly heapMegabytes?: number
  readonly entry?: URL
}

const GRACE_MS = 3_000

export function createIsolatedHost(options: IsolatedOptions): ProcessorHost {
  return new IsolatedHost(options)
}

class IsolatedHost implements ProcessorHost {
  readonly name: string
  private readonly slots: Semaphore
  private readonly lock = new LocalLock()
  private readonly all = new Set<WorkerProcess>()
  private idle: WorkerProcess[] = []

  constructor(private readonly options: IsolatedOptions) {
    this.name = options.name
    this.slots = new Semaphore(options.concurrency)
    options.signal.addEventListener('abort', this.onStop, {once: true})
  }

  async start(): Promise<void> {
    this.idle.push(await this.launch())
  }

  async process(file: FileInfo, content: StagedFile, signal: AbortSignal): Promise<undefined> {
    await this.inSlot(signal, (worker) => worker.process(file, content, signal))
  }

  async failed(file: FileInfo, error: Error, signal: AbortSignal): Promise<void> {
    await this.tell(file, 'failed', signal, (worker) => worker.failed(file, error, signal))
  }

  async mismatched(file: FileInfo, signal: AbortSignal): Promise<void> {
    await this.tell(file, 'mismatched', signal, (worker) => worker.mismatched(file, signal))
  }

  async close(): Promise<void> {
    this.options.signal.removeEventListener('abort', this.onStop)
    await Promise.all([...this.all].map((worker) => worker.close()))
    this.all.clear()
  }

  private readonly onStop = () => {
    for (const worker of this.all) worker.stop(this.options.signal.reason)
  }

  private async tell(
    file: FileInfo,
    member: string,
    signal: AbortSignal,
    call: (worker: WorkerProcess) => Promise<void>,
  ): Promise<void> {
    const {logger} = this.options
    await this.inSlot(signal, call).catch((thrown: unknown) => {
      if (signal.aborted) return
      logger.warn(
        `\`${member}\` of ${this.name} failed for ${file.path}: ${asStreamtoolError(thrown).message}`,
        {
          processor: this.name,
          file: file.path,
        },
      )
    })
  }

  private inSlot<T>(signal: AbortSignal, call: (worker: WorkerProcess) => Promise<T>): Promise<T> {
    return this.slots.run(
      async () => {
        const worker = await this.idleWorker(signal)
        try {
          return await call(worker)
        } finally {
          if (worker.isUsable) this.idle.push(worker)
        }
      },
      1,
      signal,
    )
  }

  /** A new one is not lost when the attempt that it was started for is over before it is ready. */
  private async idleWorker(signal: AbortSignal): Promise<WorkerProcess> {
    this.idle = this.idle.filter(({isUsable}) => isUsable)
    const worker = this.idle.pop()
    if (worker !== undefined) return worker
    const launching = this.launch()
    try {
      return await abortable(launching, signal)
    } catch (thrown) {
      if (signal.aborted) void launching.then((late) => this.idle.push(late)).catch(() => undefined)
      throw thrown
    }
  }

  private async launch(): Promise<WorkerProcess> {
    const {plugin, from, also = [], reservedFlags = [], options, outputDir, heapMegabytes} = this.options
    const {
      sink,
      logger,
      clock,
      graceMs = GRACE_MS,
      entry = new URL('./child.js', import.meta.url),
    } = this.options
    const worker = new WorkerProcess({
      name: this.name,
      start: {plugin, from, also, reservedFlags: [...reservedFlags], options, outputDir},
      sink,
      lock: this.lock,
      logger,
      clock,
      graceMs,
      entry,
      execArgv: [
        ...process.execArgv.filter((argument) => !argument.startsWith('--inspect')),
        ...(heapMegabytes === undefined ? [] : [`--max-old-space-size=${heapMegabytes}`]),
      ],
    })
    this.all.add(worker)
    void worker.gone().then(() => this.all.delete(worker))
    await worker.start()
    return worker
  }
}
