/**
 * Tells the coordinator that this member is alive, on a timer of its own that nothing else can hold up, and tells
 * this member what the coordinator knows of its generation. They go on while partitions are being given up, so
 * that a long drain costs no membership.
 */
import type {Clock} from '../../../core/ports/index.js'
import {Bell} from '../bell.js'
import {isProtocolFailure} from '../transport/failures.js'

/**
 * `rebalance`: the group regroups, join again (told once). `forgotten`, `superseded`: it has regrouped without
 * this member, whose id is unknown or whose generation is over. `expired`: nothing was heard from the coordinator
 * for a whole session, so others may have the partitions by now. `refused`: anything else, such as being fenced.
 */
export type HeartbeatVerdict =
  | {readonly kind: 'rebalance' | 'forgotten' | 'superseded' | 'expired'}
  | {readonly kind: 'refused'; readonly error: unknown}

export interface HeartbeatOptions {
  readonly heartbeatMs: number
  readonly sessionTimeoutMs: number
  readonly clock: Clock
  /** One attempt, given up after this long. */
  readonly beat: (timeoutMs: number, signal: AbortSignal) => Promise<unknown>
  /** Whether an error is the coordinator being away, which heals. */
  readonly isOutage: (error: unknown) => boolean
  readonly tell: (verdict: HeartbeatVerdict) => void
}

/** After a failure the coordinator is looked for again sooner than the next beat is due. */
const RETRY_MS = 200

export class Heartbeats {
  readonly #bell = new Bell()
  #rebalanceTold = false

  constructor(private readonly options: HeartbeatOptions) {}

  /** The next one now: something made the coordinator's opinion worth asking for. */
  now(): void {
    this.#bell.ring()
  }

  /** Until the signal aborts or the membership is over. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const verdict = await this.#untilOver(signal)
    if (verdict !== null) this.options.tell(verdict)
  }

  async #untilOver(signal: AbortSignal): Promise<HeartbeatVerdict | null> {
    const {heartbeatMs, sessionTimeoutMs, clock} = this.options
    let expiresAtMs = clock.nowMs() + sessionTimeoutMs
    let pauseMs = heartbeatMs
    for (;;) {
      const leftMs = Math.max(0, expiresAtMs - clock.nowMs())
      await this.#bell.wait(clock, Math.min(pauseMs, leftMs), signal)
      if (signal.aborted) return null
      const sentAtMs = clock.nowMs()
      if (sentAtMs >= expiresAtMs) return {kind: 'expired'}
      const answer = await this.#beat(expiresAtMs - sentAtMs, signal)
      if (answer === 'alive') {
        expiresAtMs = sentAtMs + sessionTimeoutMs
        pauseMs = heartbeatMs
      } else if (answer === 'outage') {
        pauseMs = Math.min(RETRY_MS, heartbeatMs)
      } else {
        return answer
      }
    }
  }

  async #beat(leftMs: number, signal: AbortSignal): Promise<'alive' | 'outage' | HeartbeatVerdict> {
    try {
      await this.options.beat(Math.min(leftMs, this.#longestAnswerMs()), signal)
      return 'alive'
    } catch (error) {
      if (signal.aborted) return 'outage'
      if (isProtocolFailure(error, 'REBALANCE_IN_PROGRESS')) {
        if (!this.#rebalanceTold) this.options.tell({kind: 'rebalance'})
        this.#rebalanceTold = true
        return 'alive'
      }
      if (isProtocolFailure(error, 'UNKNOWN_MEMBER_ID')) return {kind: 'forgotten'}
      if (isProtocolFailure(error, 'ILLEGAL_GENERATION')) return {kind: 'superseded'}
      return this.options.isOutage(error) ? 'outage' : {kind: 'refused', error}
    }
  }

  /** So that a connection that hangs is given up while there is time for others. */
  #longestAnswerMs(): number {
    return Math.max(this.options.heartbeatMs, this.options.sessionTimeoutMs / 3)
  }
}
