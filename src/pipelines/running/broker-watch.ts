/**
 * Whether the brokers that lead a topic answer, asked every few seconds for as long as a command runs. The ports wait
 * outages out by themselves, so a question that is not answered in time is the sign of one; its late answer is the sign
 * that it is over.
 */
import {isAborted} from '../../core/flow/index.js'
import type {BrokerStatus, Clock, TopicAdmin} from '../../core/ports/index.js'

export interface BrokerWatchOptions {
  readonly admin: TopicAdmin
  readonly topics: readonly string[]
  readonly clock: Clock
  readonly everyMs?: number
  /** So long an answer may take. */
  readonly answerMs?: number
}

const EVERY_MS = 5000
const ANSWER_MS = 5000

export class BrokerWatch {
  status: BrokerStatus = {reachable: null, checkedMs: null, reason: null}

  constructor(private readonly options: BrokerWatchOptions) {}

  /** Until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const {clock, everyMs = EVERY_MS} = this.options
    while (!isAborted(signal)) {
      await this.check(signal)
      await clock.sleep(everyMs, signal).catch(() => undefined)
    }
  }

  private async check(signal: AbortSignal): Promise<void> {
    const {clock, answerMs = ANSWER_MS} = this.options
    const answered = new AbortController()
    const until = AbortSignal.any([signal, answered.signal])
    const late = clock.sleep(answerMs, until).then(
      () => this.say(false, `no answer within ${answerMs} ms`),
      () => undefined,
    )
    const asked = this.ask()
      .then(
        () => this.say(true, null),
        (thrown: unknown) => this.say(false, thrown instanceof Error ? thrown.message : String(thrown)),
      )
      .finally(() => answered.abort())
    await Promise.race([asked, aborted(until)])
    await late
  }

  private async ask(): Promise<void> {
    for (const topic of this.options.topics) await this.options.admin.partitionRanges(topic)
  }

  private say(reachable: boolean, reason: string | null): void {
    this.status = {reachable, checkedMs: this.options.clock.nowMs(), reason}
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), {once: true})
  })
