/** The input's switch: running, paused (keeps its partitions, reads nothing), or stopped (has left the group). */
import type {BindingState} from '../../core/ports/index.js'

export class InputBinding {
  private isStopped = false
  private isPaused = false
  private readonly waiting = new Set<() => void>()
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
    this.wake()
  }

  start(): void {
    this.isStopped = false
    this.wake()
  }

  /** Resolves when the member has left. */
  async stop(): Promise<void> {
    this.isStopped = true
    this.life.abort(new Error('the input was stopped'))
    await this.ended
  }

  whenNotPaused(): Promise<void> {
    return this.when(() => !this.isPaused)
  }

  /** @param signal ends the waiting, too */
  async whenStarted(signal: AbortSignal): Promise<void> {
    const wake = () => this.wake()
    signal.addEventListener('abort', wake)
    await this.when(() => !this.isStopped || signal.aborted)
    signal.removeEventListener('abort', wake)
  }

  /** Runs a member of the group until it ends by itself or is stopped. */
  async live(member: (stopped: AbortSignal) => Promise<void>): Promise<void> {
    this.life = new AbortController()
    const running = member(this.life.signal)
    this.ended = running.catch(() => undefined)
    await running
  }

  private async when(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.waiting.add(resolve))
  }

  private wake(): void {
    const waiting = [...this.waiting]
    this.waiting.clear()
    for (const resolve of waiting) resolve()
  }
}
