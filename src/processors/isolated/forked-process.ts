/** A forked Node process, from its start until it and all that it started are gone: a channel, lines, and a death. */
import {type ChildProcess, fork} from 'node:child_process'
import {once} from 'node:events'
import type {Readable} from 'node:stream'
import {awaitedWithin} from '../../core/flow/index.js'
import type {Clock} from '../../core/ports/index.js'
import {killGroup, LEADS_GROUP} from '../process-group.js'
import {howItEnded, LastWords} from './last-words.js'
import type {Message} from './rpc.js'

export interface ForkOptions {
  readonly entry: URL
  /** Arguments for Node, such as a heap limit. */
  readonly execArgv: readonly string[]
  readonly clock: Clock
  readonly onMessage: (message: Message) => void
  /** Of its output. */
  readonly onLine: (line: string) => void
}

/** Output that comes after the exit, and the exit itself after `close`. */
const SETTLE_MS = 2_000

export class ForkedProcess {
  /** Rejects with a {@link ProcessDeath} when it has died and its last words are heard. */
  readonly death: Promise<never>
  private readonly child: ChildProcess
  private readonly words = new LastWords()
  private isRunning = true

  constructor(private readonly options: ForkOptions) {
    const {entry, execArgv, onMessage, onLine} = options
    this.child = fork(entry, [], {
      execArgv: [...execArgv],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // So that a signal from the terminal is left to us, and a kill reaches all that the plugin has started.
      detached: LEADS_GROUP,
    })
    this.child.on('message', (message) => {
      onMessage(message as Message)
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      if (stream !== null) this.words.listen(stream, onLine)
    this.death = this.died()
    this.death.catch(() => undefined)
  }

  get isAlive(): boolean {
    return this.isRunning
  }

  /** What cannot reach it any more is dropped: its death says so. */
  send(message: Message): void {
    this.child.send(message, () => undefined)
  }

  kill(): void {
    const {pid} = this.child
    if (this.isRunning && pid !== undefined) killGroup(pid)
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
    if (pid !== undefined && LEADS_GROUP) killGroup(pid)
    this.isRunning = false
    await this.outputEnded()
    throw new ProcessDeath(howItEnded(code, signal, this.words.reason), this.words.reason)
  }

  private async outputEnded(): Promise<void> {
    const ended = Promise.all([streamEnded(this.child.stdout), streamEnded(this.child.stderr)])
    await awaitedWithin(SETTLE_MS, ended, this.options.clock)
  }
}

async function streamEnded(stream: Readable | null): Promise<void> {
  if (stream !== null && !stream.destroyed) await once(stream, 'close')
}

export class ProcessDeath extends Error {
  constructor(
    /** `exited with code 3` */
    readonly how: string,
    /** What it said last, if anything. */
    readonly words: string | null,
  ) {
    super(`its process ${how}`)
  }
}
