/**
 * Notices when a plugin keeps the event loop to itself: then no record is read, no heartbeat is sent, and after
 * --session-timeout the group gives the partitions to somebody else.
 *
 * A thread of its own looks whether this one still beats, and says so while it does not (blocking-watchdog.ts); when the
 * loop is free again, the log says how long it was not.
 *
 *     shared memory:  beats (int32) | length of the text (int32) | text, UTF-8: what the plugin is working on
 */
import {Worker} from 'node:worker_threads'
import type {Logger} from '../../core/ports/index.js'

export interface BlockingWatchOptions {
  readonly processor: string
  readonly logger: Logger
  /** The paths of the files that are being processed. */
  readonly workingOn: () => Iterable<string>
  /** Null: nobody says anything while the loop is blocked, only afterwards. */
  readonly watchdog?: URL | null
}

export interface WatchdogData {
  readonly shared: SharedArrayBuffer
  readonly processor: string
}

export const TEXT_AT = 8
const TEXT_BYTES = 1_000
const BEAT_MS = 500
/** A loop that stood still for so long is worth a warning. */
const NOTICED_MS = 3_000
/** Warnings in between are counted, not said. */
const QUIET_MS = 60_000
const NAMED_FILES = 3

export class BlockingWatch {
  private readonly shared = new SharedArrayBuffer(TEXT_AT + TEXT_BYTES)
  private readonly cells = new Int32Array(this.shared, 0, 2)
  private readonly text = new Uint8Array(this.shared, TEXT_AT)
  private readonly encoder = new TextEncoder()
  private readonly worker: Worker | null
  private readonly timer: NodeJS.Timeout
  private lastBeatMs = performance.now()
  private lastSaidMs = -Infinity
  private workingOn = ''
  /** What ended since the last beat may be what held that up. */
  private workedOnLast = ''

  constructor(private readonly options: BlockingWatchOptions) {
    const {processor, watchdog = new URL('./blocking-watchdog.js', import.meta.url)} = options
    this.timer = setInterval(() => {
      this.beat()
    }, BEAT_MS)
    this.timer.unref()
    this.worker =
      watchdog === null
        ? null
        : new Worker(watchdog, {workerData: {shared: this.shared, processor} satisfies WatchdogData})
    this.worker?.unref()
    // It only talks; without it the log still says how long the loop was blocked.
    this.worker?.on('error', () => undefined)
  }

  /** Whenever what is being worked on has changed: the plugin may block before the next beat. */
  changed(): void {
    this.workingOn = inWords([...this.options.workingOn()])
    if (this.workingOn !== '') this.workedOnLast = this.workingOn
    const {written} = this.encoder.encodeInto(this.workingOn, this.text)
    Atomics.store(this.cells, 1, written)
  }

  async close(): Promise<void> {
    clearInterval(this.timer)
    await this.worker?.terminate()
  }

  private beat(): void {
    const nowMs = performance.now()
    const blockedMs = nowMs - this.lastBeatMs - BEAT_MS
    this.lastBeatMs = nowMs
    Atomics.add(this.cells, 0, 1)
    Atomics.notify(this.cells, 0)
    const suspects = this.workedOnLast
    this.workedOnLast = this.workingOn
    if (blockedMs < NOTICED_MS || nowMs - this.lastSaidMs < QUIET_MS || suspects === '') return
    this.lastSaidMs = nowMs
    const {logger, processor} = this.options
    logger.warn(
      `${processor} kept the event loop to itself for ${(blockedMs / 1000).toFixed(1)} s, working on ${suspects}. Nothing is read and no heartbeat is sent in such a time. Run it with --isolate process, or let it await between two steps.`,
      {processor},
    )
  }
}

function inWords(paths: readonly string[]): string {
  const named = paths.slice(0, NAMED_FILES).join(', ')
  return paths.length > NAMED_FILES ? `${named} and ${paths.length - NAMED_FILES} more` : named
}
