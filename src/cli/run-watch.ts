/** Counts what a command tells, so that it can be watched from outside (core/ports/running.ts). */
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
const COUNTS = [
  'files_delivered',
  'files_failed',
  'files_held',
  'files_superseded',
  'files_parked',
  'files_skipped',
  'files_incomplete',
  'files_uploaded',
  'bytes_delivered',
  'bytes_uploaded',
  'records_poison',
  'commits',
  'warnings',
] as const
type Count = (typeof COUNTS)[number]

const FILE_COUNTS = {
  'file.failed': 'files_failed',
  'file.held': 'files_held',
  'file.superseded': 'files_superseded',
  'file.parked': 'files_parked',
  'file.skipped': 'files_skipped',
  'file.incomplete': 'files_incomplete',
} as const

export class RunWatch implements Reporter, RunControl {
  readonly #counts = new Map<Count, number>()
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
      case 'file.uploaded':
        this.#count(event.event === 'file.delivered' ? 'files_delivered' : 'files_uploaded', 1)
        this.#count(event.event === 'file.delivered' ? 'bytes_delivered' : 'bytes_uploaded', event.bytes)
        break
      case 'record.poison':
        this.#count('records_poison', 1)
        break
      case 'warning':
        this.#count('warnings', 1)
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
        this.#count(FILE_COUNTS[event.event], 1)
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
        ...Object.fromEntries(COUNTS.map((name) => [name, this.#counts.get(name) ?? 0])),
        ...(this.#view === null ? {} : {records_read: this.#view.recordsRead()}),
        ...(this.#progress === null ? {} : {bytes_moved: this.#progress().bytesDone}),
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

  #count(name: Count, by: number): void {
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

  #levels(): Record<string, number> {
    const nowMs = this.options.nowMs()
    const oldestMs = this.#view?.oldestOpenMs() ?? null
    return {
      ...(this.#progress === null ? {} : {files_open: this.#progress().filesOpen}),
      ...(this.#view === null ? {} : {oldest_open_file_seconds: seconds(oldestMs, nowMs)}),
      ...(this.#lastCommitMs === null ? {} : {commit_age_seconds: seconds(this.#lastCommitMs, nowMs)}),
    }
  }
}

const seconds = (sinceMs: number | null, nowMs: number) =>
  sinceMs === null ? 0 : Math.max(0, nowMs - sinceMs) / 1000
