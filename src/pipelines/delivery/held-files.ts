/** Files that their destination did not take are tried again after a while, when the user wants so. */
import {isAborted} from '../../core/flow/index.js'
import type {Clock} from '../../core/ports/index.js'
import type {OpenFile, Reassembly} from '../../core/reassembly/index.js'

const LOOK_EVERY_MS = 1000

export interface HeldFilesOptions {
  readonly reassembly: Reassembly
  /** Null: at the next start. */
  readonly retryHeldMs: number | null
  readonly clock: Clock
}

export class HeldFiles {
  /** When each was seen for the first time. */
  private readonly since = new WeakMap<OpenFile, number>()

  constructor(private readonly options: HeldFilesOptions) {}

  async retryRegularly(signal: AbortSignal): Promise<void> {
    const {clock, retryHeldMs} = this.options
    if (retryHeldMs === null) return
    while (!isAborted(signal)) {
      this.retryDue(retryHeldMs)
      await clock.sleep(Math.min(LOOK_EVERY_MS, retryHeldMs), signal).catch(() => undefined)
    }
  }

  private retryDue(retryHeldMs: number): void {
    const {clock, reassembly} = this.options
    for (const open of reassembly.openFiles()) {
      if (open.state !== 'held') continue
      const since = this.since.get(open)
      if (since === undefined) this.since.set(open, clock.nowMs())
      else if (clock.nowMs() - since >= retryHeldMs) reassembly.retryHeld(open)
    }
  }
}
