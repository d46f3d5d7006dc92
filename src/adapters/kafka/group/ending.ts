/** How an epoch ended, from the first sign of it to the last. */
import type {RevokeReason} from '../../../core/ports/index.js'

export interface EpochEnd {
  readonly reason: RevokeReason
  /** The broker has forgotten the member id. */
  readonly isForgotten: boolean
  /** What ends the run, too. */
  readonly failure: {readonly error: unknown} | null
}

const UNEVENTFUL: EpochEnd = {reason: 'stopping', isForgotten: false, failure: null}

export class Ending {
  readonly #come = new AbortController()
  #end: EpochEnd | null = null

  /** Aborted by the first sign; whoever listens acts at once. */
  get signal(): AbortSignal {
    return this.#come.signal
  }

  get end(): EpochEnd {
    return this.#end ?? UNEVENTFUL
  }

  /** The first reason counts; what comes later can only make it worse. */
  now(reason: RevokeReason, more: Partial<EpochEnd> = {}): void {
    this.#end = {
      reason: this.#end?.reason ?? reason,
      isForgotten: this.#end?.isForgotten === true || more.isForgotten === true,
      failure: this.#end?.failure ?? more.failure ?? null,
    }
    this.#come.abort()
  }

  come(): Promise<void> {
    const {signal} = this
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), {once: true}))
  }
}
