/** What a forked process asks of its parent while it works (calls.ts), answered for the work that it has. */
import type {Logger, StagedFile} from '../../core/ports/index.js'
import type {FileInfo} from '../contract.js'
import type {ResultSink} from '../results.js'
import type {Lock} from '../running/lock.js'
import type {ParentCalls} from './calls.js'
import {Readings} from './readings.js'
import {unpackReturned} from './returned.js'

/** One call of the plugin. */
export interface Work {
  readonly file: FileInfo
  /** Null for calls that get no content. */
  readonly content: StagedFile | null
  readonly signal: AbortSignal
}

export interface AnswersOptions {
  readonly sink: ResultSink
  readonly lock: Lock
  readonly logger: Logger
}

const LEVELS = {debug: true, info: true, warn: true, error: true}

export class ParentAnswers {
  private readonly readings = new Readings()
  private readonly locks = new Map<number, () => void>()
  private lastLock = 0
  private work: Work | null = null
  private isOver = false

  constructor(private readonly options: AnswersOptions) {}

  readonly calls: ParentCalls = {
    produce: (record, signal) => {
      const {file, signal: ofWork} = this.required()
      return this.options.sink.produce(record, file, AbortSignal.any([signal, ofWork]))
    },
    returned: (value, signal) => {
      const {file, signal: ofWork} = this.required()
      return this.options.sink.returned(unpackReturned(value), file, AbortSignal.any([signal, ofWork]))
    },
    acquire: async (_, signal) => {
      const release = await this.options.lock.acquire(signal)
      const id = ++this.lastLock
      if (this.isOver) release()
      else this.locks.set(id, release)
      return id
    },
    release: async (id) => {
      this.locks.get(id)?.()
      this.locks.delete(id)
    },
    open: async () => {
      const {content, signal} = this.required()
      if (content === null) throw new Error('there is no content to read')
      return this.readings.open(content.read(signal))
    },
    next: (id) => this.readings.next(id),
    end: (id) => this.readings.end(id),
    log: async ({level, message, facts}) => {
      if (Object.hasOwn(LEVELS, level)) this.options.logger[level](message, facts)
    },
  }

  get current(): Work | null {
    return this.work
  }

  begin(work: Work): void {
    this.work = work
  }

  end(): void {
    this.work = null
    this.readings.close()
  }

  /** The process has died: what it held is given back. */
  over(): void {
    this.isOver = true
    for (const release of this.locks.values()) release()
    this.locks.clear()
  }

  private required(): Work {
    if (this.work === null) throw new Error('its attempt has ended')
    return this.work
  }
}
