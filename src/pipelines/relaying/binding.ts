/**
 * The switches of a relay. The input's: running, paused (keeps its partitions, reads nothing), or stopped (has left the
 * group). The output's: running, or stopped (nothing is sent; what is read waits, and soon nothing more is read).
 */
import {Gauge} from '../../core/flow/index.js'
import type {BindingState} from '../../core/ports/index.js'

/** Those who wait for a switch. */
class Waiting {
  private readonly waiting = new Set<() => void>()

  /** @param signal ends the waiting, too */
  async until(isSo: () => boolean, signal?: AbortSignal): Promise<void> {
    const wake = () => this.wake()
    signal?.addEventListener('abort', wake)
    while (!isSo() && signal?.aborted !== true)
      await new Promise<void>((resolve) => this.waiting.add(resolve))
    signal?.removeEventListener('abort', wake)
  }

  wake(): void {
    const waiting = [...this.waiting]
    this.waiting.clear()
    for (const resolve of waiting) resolve()
  }
}

export class InputBinding {
  private isStopped = false
  private isPaused = false
  private readonly waiting = new Waiting()
  private life = new AbortController()
  /** Resolves when the member has left. */
  private ended: Promise<unknown> = Promise.resolve()

  get state(): BindingState {
    if (this.isPaused) return 'paused'
    return this.isStopped ? 'stopped' : 'running'
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    this.waiting.wake()
  }

  start(): void {
    this.isStopped = false
    this.waiting.wake()
  }

  /** Resolves when the member has left. */
  async stop(): Promise<void> {
    this.isStopped = true
    this.life.abort(new Error('the input was stopped'))
    await this.ended
  }

  whenNotPaused(): Promise<void> {
    return this.waiting.until(() => !this.isPaused)
  }

  /** @param signal ends the waiting, too */
  whenStarted(signal: AbortSignal): Promise<void> {
    return this.waiting.until(() => !this.isStopped, signal)
  }

  /** Runs a member of the group until it ends by itself or is stopped. */
  async live(member: (stopped: AbortSignal) => Promise<void>): Promise<void> {
    this.life = new AbortController()
    const running = member(this.life.signal)
    this.ended = running.catch(() => undefined)
    await running
  }
}

export class OutputBinding {
  private isStopped = false
  private readonly waiting = new Waiting()
  private readonly underWay = new Gauge()

  get state(): BindingState {
    return this.isStopped ? 'stopped' : 'running'
  }

  start(): void {
    this.isStopped = false
    this.waiting.wake()
  }

  /** Resolves when nothing is on its way any more. */
  async stop(): Promise<void> {
    this.isStopped = true
    await this.whenIdle()
  }

  whenIdle(): Promise<void> {
    return this.underWay.atMost(0)
  }

  /** Sends when it may, unless the signal aborts before. @returns undefined when it did */
  async run<Result>(send: () => Promise<Result>, signal: AbortSignal): Promise<Result | undefined> {
    if (this.isStopped) await this.waiting.until(() => !this.isStopped, signal)
    if (signal.aborted) return undefined
    this.underWay.add(1)
    try {
      return await send()
    } finally {
      this.underWay.subtract(1)
    }
  }
}
