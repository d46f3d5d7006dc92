/** Counts what a command tells, so that it can be watched from outside (core/ports/running.ts). */
import type {Count} from '../core/measures.js'
import type {BrokerStatus, RunControl, RunStatus} from '../core/ports/index.js'
import type {PipelineEvent, Progress, Reporter} from '../core/report.js'
import type {DeliveryView} from '../pipelines/delivery/view.js'

export interface RunWatchOptions {
  readonly nowMs: () => number
  readonly broker: () => BrokerStatus
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal
  readonly stop: (reason: string) => void
}

/** So that a series is there before its first event. */
const COUNTED = [
  'files.delivered',
  'files.failed',
  'files.held',
  'files.superseded',
  'files.parked',
  'files.skipped',
  'files.incomplete',
  'files.uploaded',
  'bytes.delivered',
  'bytes.uploaded',
  'records.poison',
  'commits',
  'warnings',
] as const satisfies readonly Count[]
type Counted = (typeof COUNTED)[number]

const COUNT_OF = {
  'file.failed': 'files.failed',
  'file.held': 'files.held',
  'file.superseded': 'files.superseded',
  'file.parked': 'files.parked',
  'file.skipped': 'files.skipped',
  'file.incomplete': 'files.incomplete',
  'record.poison': 'records.poison',
  warning: 'warnings',
} as const

export class RunWatch implements Reporter, RunControl {
  readonly #counts = new Map<Counted, number>()
  readonly #startedMs: number
  #begun: Extract<PipelineEvent, {event: 'started'}> | null = null
  #hasEnded = false
  #lastCommitMs: number | null = null
  #progress: (() => Progress) | null = null
  #view: DeliveryView | null = null
  #storage: BrokerStatus | null = null

  constructor(private readonly options: RunWatchOptions) {
    this.#startedMs = options.nowMs()
  }

  event(event: PipelineEvent): void {
    switch (event.event) {
      case 'started':
        this.#begun = event
        break
      case 'file.delivered':
        this.#count('files.delivered', 1)
        this.#count('bytes.delivered', event.bytes)
        break
      case 'file.uploaded':
        this.#count('files.uploaded', 1)
        this.#count('bytes.uploaded', event.bytes)
        break
      case 'committed':
        this.#count('commits', 1)
        this.#lastCommitMs = this.options.nowMs()
        break
      case 'finished':
        this.#hasEnded = true
        break
      case 'file.failed':
      case 'file.held':
      case 'file.superseded':
      case 'file.parked':
      case 'file.skipped':
      case 'file.incomplete':
      case 'record.poison':
      case 'warning':
        this.#count(COUNT_OF[event.event], 1)
        break
      case 'record.failed':
      case 'file.inspected':
      case 'assignment':
        break
    }
  }

  watch(progress: () => Progress): void {
    this.#progress = progress
  }

  /** What a delivery shows beside its events. */
  sees(view: DeliveryView): void {
    this.#view = view
  }

  /** @param reason null: it is in order again */
  storage(reason: string | null): void {
    this.#storage = {reachable: reason === null, checkedMs: this.options.nowMs(), reason}
  }

  status(): RunStatus {
    return {
      phase: this.#phase(),
      startedMs: this.#startedMs,
      broker: this.options.broker(),
      ...(this.#storage === null ? {} : {storage: this.#storage}),
      inputs: this.#inputs(),
      outputs: [],
      counts: {
        ...Object.fromEntries(COUNTED.map((name) => [name, this.#counts.get(name) ?? 0])),
        ...(this.#view === null ? {} : {'records.read': this.#view.recordsRead()}),
        ...(this.#progress === null ? {} : {'bytes.moved': this.#progress().bytesDone}),
      },
      levels: this.#levels(),
    }
  }

  // There is nothing to be paused in a delivery: it is stopped, and started again.
  async pause(): Promise<void> {}
  async resume(): Promise<void> {}
  async stop(): Promise<void> {}
  async start(): Promise<void> {}

  shutdown(reason: string): void {
    this.options.stop(reason)
  }

  ended(): void {
    this.#hasEnded = true
  }

  #count(name: Counted, by: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by)
  }

  #phase(): RunStatus['phase'] {
    if (this.#hasEnded) return 'ended'
    if (this.options.signal.aborted) return 'draining'
    return this.#begun === null ? 'starting' : 'running'
  }

  #inputs(): RunStatus['inputs'] {
    const begun = this.#begun
    if (begun?.group === undefined || this.#view === null) return []
    const {topic, group} = begun
    const partitions = this.#view.partitions()
    return [{binding: 'input', topic, group, state: 'running', lastPollMs: null, partitions}]
  }

  #levels(): RunStatus['levels'] {
    const nowMs = this.options.nowMs()
    const oldestMs = this.#view?.oldestOpenMs() ?? null
    return {
      ...(this.#progress === null ? {} : {'files.open': this.#progress().filesOpen}),
      ...(this.#view === null ? {} : {'oldest.open.file.seconds': seconds(oldestMs, nowMs)}),
      ...(this.#lastCommitMs === null ? {} : {'commit.age.seconds': seconds(this.#lastCommitMs, nowMs)}),
    }
  }
}

const seconds = (sinceMs: number | null, nowMs: number) =>
  sinceMs === null ? 0 : Math.max(0, nowMs - sinceMs) / 1000
