/**
 * One forked process from the side of its parent: it is started with the plugin, works on one file at a time, and may
 * die at any moment. Whatever it held then, the lock above all, is given back.
 */
import {once} from 'node:events'
import {StreamtoolError} from '../../core/errors.js'
import {abortable, awaitedWithin, isAborted} from '../../core/flow/index.js'
import type {Clock, StagedFile} from '../../core/ports/index.js'
import type {FileInfo} from '../contract.js'
import {isError} from '../stack.js'
import type {ChildCalls, StartArgs} from './calls.js'
import {ForkedProcess, ProcessDeath} from './forked-process.js'
import {type AnswersOptions, ParentAnswers, type Work} from './parent-answers.js'
import {type Calls, Rpc} from './rpc.js'
import {toWire} from './wire-error.js'

/** Sink and lock are common to all processes of a run. */
export interface WorkerProcessOptions extends AnswersOptions {
  /** Of the processor. */
  readonly name: string
  readonly start: StartArgs
  readonly clock: Clock
  readonly graceMs: number
  /** Arguments for Node, such as a heap limit. */
  readonly execArgv: readonly string[]
  readonly entry: URL
}

/** Longer than its own limit for `teardown`. */
const CLOSE_MS = 12_000

export class WorkerProcess {
  private readonly forked: ForkedProcess
  private readonly rpc: Rpc<Calls & ChildCalls>
  private readonly answers: ParentAnswers
  /** Rejects when it has died, and nothing of it is waited for any more. */
  private readonly death: Promise<never>
  private isEnding = false

  constructor(private readonly options: WorkerProcessOptions) {
    this.answers = new ParentAnswers(options)
    this.forked = new ForkedProcess({
      ...options,
      onMessage: (message) => {
        this.rpc.received(message)
      },
      onLine: (line) => {
        this.say(line)
      },
    })
    this.rpc = new Rpc<Calls & ChildCalls>(
      (message) => {
        this.forked.send(message)
      },
      this.answers.calls as unknown as Calls,
    )
    this.death = this.forked.death.catch((death: unknown) => this.over(death as ProcessDeath))
    this.death.catch(() => undefined)
  }

  /** Whether it can be given another file. */
  get isUsable(): boolean {
    return this.forked.isAlive && !this.isEnding
  }

  /** Resolves when it has died, in whatever way. */
  async gone(): Promise<void> {
    await this.death.catch(() => undefined)
  }

  /** @throws PLUGIN_UNLOADABLE, PLUGIN_SETUP_FAILED */
  async start(): Promise<void> {
    try {
      await Promise.race([this.rpc.call('start', this.options.start), this.death])
    } catch (thrown) {
      this.kill()
      throw thrown instanceof ProcessDeath ? this.diedInSetup(thrown) : thrown
    }
  }

  /** @throws PROCESSING_FAILED, PROCESSOR_CRASHED, what ends the run, or the signal's reason */
  async process(file: FileInfo, content: StagedFile, signal: AbortSignal): Promise<void> {
    const {sizeBytes, localPath} = content
    await this.during({file, content, signal}, () =>
      this.rpc.call('process', {file, sizeBytes, localPath}, signal),
    )
  }

  async failed(file: FileInfo, error: Error, signal: AbortSignal): Promise<void> {
    await this.during({file, content: null, signal}, () =>
      this.rpc.call('failed', {file, error: toWire(isError(error.cause) ? error.cause : error)}, signal),
    )
  }

  async mismatched(file: FileInfo, signal: AbortSignal): Promise<void> {
    await this.during({file, content: null, signal}, () => this.rpc.call('mismatched', {file}, signal))
  }

  /** Tears down; whatever does not end by itself is killed. */
  async close(): Promise<void> {
    if (!this.forked.isAlive) return
    this.isEnding = true
    const ended = this.rpc.call('close', null).then(
      () => this.gone(),
      () => undefined,
    )
    await awaitedWithin(CLOSE_MS, ended, this.options.clock)
    this.kill()
    await this.gone()
  }

  /** The run ends: tells the plugin, which may be in its `setup`. */
  stop(reason: unknown): void {
    if (this.forked.isAlive) this.rpc.call('stop', toWire(reason)).catch(() => undefined)
  }

  private async during<T>(work: Work, call: () => Promise<T>): Promise<T> {
    const {file, signal} = work
    this.answers.begin(work)
    const over = new AbortController()
    const killed = this.killedAfterGrace(work, over.signal)
    try {
      return await Promise.race([call(), this.death, killed])
    } catch (thrown) {
      if (isAborted(signal)) throw signal.reason
      throw thrown instanceof ProcessDeath ? this.crash(file, thrown) : thrown
    } finally {
      over.abort()
      killed.catch(() => undefined)
      this.answers.end()
    }
  }

  /** Whoever does not stop when told to is ended. */
  private async killedAfterGrace({file, signal}: Work, over: AbortSignal): Promise<never> {
    const {clock, graceMs, logger, name} = this.options
    await abortable(once(signal, 'abort', {signal: over}), over)
    await clock.sleep(graceMs, over)
    logger.warn(`${name} did not stop within ${graceMs / 1000} s of being told to; its process is ended.`, {
      processor: name,
      file: file.path,
    })
    this.kill()
    throw signal.reason
  }

  private kill(): void {
    this.isEnding = true
    this.forked.kill()
  }

  private over(death: ProcessDeath): never {
    this.answers.over()
    this.rpc.over(death)
    const {logger, name} = this.options
    if (this.answers.current === null && !this.isEnding)
      logger.warn(`A process of ${name} ${death.how} between two files.`, {processor: name})
    throw death
  }

  private diedInSetup({how}: ProcessDeath): StreamtoolError {
    const {name} = this.options
    return new StreamtoolError('PLUGIN_SETUP_FAILED', `${name} could not be set up: its process ${how}`, {
      facts: {processor: name},
    })
  }

  private crash({path}: FileInfo, {how, words}: ProcessDeath): StreamtoolError {
    const {name} = this.options
    return new StreamtoolError(
      'PROCESSOR_CRASHED',
      `The process of ${name} ${how} while it worked on ${path}${words === null ? '.' : `; it last said: ${words}`}`,
      {facts: {processor: name, path}},
    )
  }

  private say(line: string): void {
    const {logger, name} = this.options
    const {current} = this.answers
    logger.info(line, {processor: name, ...(current === null ? {} : {file: current.file.path})})
  }
}
