/**
 * One forked process from the side of its parent: it is started with the plugin, works on one file at a time, and may
 * die at any moment. Whatever it held then, the lock above all, is given back.
 */
import {type ChildProcess, fork} from 'node:child_process'
import {once} from 'node:events'
import type {Readable} from 'node:stream'
import {StreamtoolError} from '../../core/errors.js'
import {abortable, isAborted} from '../../core/flow/index.js'
import type {Clock, Logger, StagedFile} from '../../core/ports/index.js'
import type {FileInfo} from '../contract.js'
import type {ResultSink} from '../results.js'
import {isError} from '../stack.js'
import type {Lock} from '../running/lock.js'
import type {ChildCalls, ParentCalls, StartArgs} from './calls.js'
import {howItEnded, LastWords} from './last-words.js'
import {killProcessGroup, LEADS_GROUP} from './process-group.js'
import {Readings} from './readings.js'
import {unpackReturned} from './returned.js'
import {type Calls, type Message, Rpc} from './rpc.js'
import {toWire} from './wire-error.js'

export interface WorkerProcessOptions {
  /** Of the processor. */
  readonly name: string
  readonly start: StartArgs
  readonly sink: ResultSink
  /** Common to all processes of a run. */
  readonly lock: Lock
  readonly logger: Logger
  readonly clock: Clock
  readonly graceMs: number
  /** Arguments for Node, such as a heap limit. */
  readonly execArgv: readonly string[]
  readonly entry: URL
}

interface Work {
  readonly file: FileInfo
  readonly content: StagedFile | null
  readonly signal: AbortSignal
}

/** Output that comes after the exit, and the exit itself after `close`. */
const SETTLE_MS = 2_000
/** Longer than its own limit for `teardown`. */
const CLOSE_MS = 12_000

export class WorkerProcess {
  private readonly child: ChildProcess
  private readonly rpc: Rpc<Calls & ChildCalls>
  private readonly words = new LastWords()
  private readonly readings = new Readings()
  private readonly locks = new Map<number, () => void>()
  private lastLock = 0
  private work: Work | null = null
  /** Rejects when it has died. */
  private readonly death: Promise<never>
  private isAlive = true
  private isEnding = false

  constructor(private readonly options: WorkerProcessOptions) {
    const {entry, execArgv} = options
    this.child = fork(entry, [], {
      execArgv: [...execArgv],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // So that a signal from the terminal is left to us, and a kill reaches all that the plugin has started.
      detached: LEADS_GROUP,
    })
    this.rpc = new Rpc<Calls & ChildCalls>(
      (message) => {
        this.child.send(message, () => undefined)
      },
      this.answers() as unknown as Calls,
    )
    this.child.on('message', (message) => {
      this.rpc.received(message as Message)
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      if (stream !== null)
        this.words.listen(stream, (line) => {
          this.say(line)
        })
    this.death = this.died()
    this.death.catch(() => undefined)
  }

  /** Whether it can be given another file. */
  get isUsable(): boolean {
    return this.isAlive && !this.isEnding
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
      if (thrown instanceof ProcessDeath)
        throw new StreamtoolError(
          'PLUGIN_SETUP_FAILED',
          `${this.options.name} could not be set up: its process ${thrown.how}`,
          {
            facts: {processor: this.options.name},
          },
        )
      throw thrown
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
    if (!this.isAlive) return
    this.isEnding = true
    const {clock} = this.options
    const over = new AbortController()
    const tooLong = clock.sleep(CLOSE_MS, over.signal).catch(() => undefined)
    const ended = this.rpc.call('close', null).then(
      () => this.gone(),
      () => undefined,
    )
    await Promise.race([ended, tooLong])
    over.abort()
    this.kill()
    await this.gone()
  }

  /** The run ends: tells the plugin, which may be in its `setup`. */
  stop(reason: unknown): void {
    if (this.isAlive) this.rpc.call('stop', toWire(reason)).catch(() => undefined)
  }

  private async during<T>(work: Work, call: () => Promise<T>): Promise<T> {
    const {file, signal} = work
    this.work = work
    const over = new AbortController()
    const killed = this.killedAfterGrace(signal, over.signal)
    try {
      return await Promise.race([call(), this.death, killed])
    } catch (thrown) {
      if (isAborted(signal)) throw signal.reason
      throw thrown instanceof ProcessDeath ? this.crash(file, thrown) : thrown
    } finally {
      over.abort()
      killed.catch(() => undefined)
      this.work = null
      this.readings.close()
    }
  }

  /** Whoever does not stop when told to is ended. */
  private async killedAfterGrace(signal: AbortSignal, over: AbortSignal): Promise<never> {
    const {clock, graceMs, logger, name} = this.options
    await abortable(once(signal, 'abort', {signal: over}), over)
    await clock.sleep(graceMs, over)
    logger.warn(`${name} did not stop within ${graceMs / 1000} s of being told to; its process is ended.`, {
      processor: name,
      file: this.work?.file.path,
    })
    this.kill()
    throw signal.reason
  }

  private kill(): void {
    this.isEnding = true
    const {pid} = this.child
    if (this.isAlive && pid !== undefined) killProcessGroup(pid)
  }

  private async died(): Promise<never> {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      this.child.once('exit', (...end) => {
        resolve(end)
      })
      this.child.on('error', () => {
        if (this.child.pid === undefined) resolve([null, null])
      })
    })
    const {pid} = this.child
    // What the plugin had started does not stay behind, and does not hold the pipes.
    if (pid !== undefined && LEADS_GROUP) killProcessGroup(pid)
    this.isAlive = false
    await this.outputEnded()
    for (const release of this.locks.values()) release()
    this.locks.clear()
    const death = new ProcessDeath(howItEnded(code, signal, this.words.reason), this.words.reason)
    this.rpc.over(death)
    if (this.work === null && !this.isEnding)
      this.options.logger.warn(`A process of ${this.options.name} ${death.how} between two files.`, {
        processor: this.options.name,
      })
    throw death
  }

  private async outputEnded(): Promise<void> {
    const over = new AbortController()
    const ended = Promise.all([streamEnded(this.child.stdout), streamEnded(this.child.stderr)])
    const tooLong = this.options.clock.sleep(SETTLE_MS, over.signal).catch(() => undefined)
    await Promise.race([ended, tooLong])
    over.abort()
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
    logger.info(line, {processor: name, ...(this.work === null ? {} : {file: this.work.file.path})})
  }

  private answers(): ParentCalls {
    const {sink, lock, logger} = this.options
    return {
      produce: (record, signal) => {
        const {file, signal: ofWork} = this.current()
        return sink.produce(record, file, AbortSignal.any([signal, ofWork]))
      },
      returned: (value, signal) => {
        const {file, signal: ofWork} = this.current()
        return sink.returned(unpackReturned(value), file, AbortSignal.any([signal, ofWork]))
      },
      acquire: async (_, signal) => {
        const release = await lock.acquire(signal)
        const id = ++this.lastLock
        if (this.isAlive) this.locks.set(id, release)
        else release()
        return id
      },
      release: async (id) => {
        this.locks.get(id)?.()
        this.locks.delete(id)
      },
      open: async () => {
        const {content, signal} = this.current()
        if (content === null) throw new Error('there is no content to read')
        return this.readings.open(content.read(signal))
      },
      next: (id) => this.readings.next(id),
      end: (id) => this.readings.end(id),
      log: async ({level, message, facts}) => {
        if (Object.hasOwn(LEVELS, level)) logger[level](message, facts)
      },
    }
  }

  private current(): Work {
    if (this.work === null) throw new Error('its attempt has ended')
    return this.work
  }
}

const LEVELS = {debug: true, info: true, warn: true, error: true}

async function streamEnded(stream: Readable | null): Promise<void> {
  if (stream !== null && !stream.destroyed) await once(stream, 'close')
}

class ProcessDeath extends Error {
  constructor(
    readonly how: string,
    readonly words: string | null,
  ) {
    super(`its process ${how}`)
  }
}
