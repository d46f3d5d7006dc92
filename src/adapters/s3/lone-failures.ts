/**
 * A store that fails is waited for; but one that fails at a single object would keep a run from ending for ever. So when
 * a call has failed for long, another object is written: if that has worked for a while, the failure is the object's own.
 *
 *     fails ------------ patience ------------> look -> look -> … for WELL_MS without a failure: it is the object's own
 */
import {StreamtoolError} from '../../core/errors.js'
import type {Failing} from '../../core/flow/index.js'
import type {Clock} from '../../core/ports/index.js'

/** After an answer that speaks of a failure. */
const ANSWERED_MS = 60_000
/** Without one, or when fewer requests are asked for: networks and crowded stores need longer. */
const UNANSWERED_MS = 5 * 60_000
/** A store that comes back fails at some objects for a moment longer than at others. */
const WELL_MS = 20_000

interface LoneFailuresParts {
  /** Throws what the store answers to another object. */
  readonly writesElsewhere: () => Promise<void>
  readonly isOutage: (thrown: unknown) => boolean
  readonly clock: Clock
}

export class LoneFailures {
  /** Of works that fail, since when others were written meanwhile. */
  private readonly wellSinceMs = new WeakMap<Failing, number>()
  /** When another object could not be written either. */
  private troubledMs = -Infinity
  private looking: Promise<void> | null = null

  constructor(private readonly parts: LoneFailuresParts) {}

  /** What is the matter with the store; null when it is only the object. */
  async troubleOf(failure: StreamtoolError, failing: Failing): Promise<StreamtoolError | null> {
    const {clock} = this.parts
    const lookedMs = clock.nowMs()
    const {key} = failure.facts
    if (typeof key !== 'string' || lookedMs - failing.sinceMs < patienceMs(failure)) return failure
    await (this.looking ??= this.look().finally(() => (this.looking = null)))
    if (this.troubledMs >= lookedMs) return failure
    const wellSinceMs = this.wellSinceMs.get(failing) ?? -Infinity
    if (wellSinceMs > this.troubledMs) return lookedMs - wellSinceMs < WELL_MS ? failure : null
    this.wellSinceMs.set(failing, lookedMs)
    return failure
  }

  private async look(): Promise<void> {
    const {writesElsewhere, isOutage, clock} = this.parts
    try {
      await writesElsewhere()
    } catch (thrown) {
      // Whatever else it says, it is there.
      if (isOutage(thrown)) this.troubledMs = clock.nowMs()
      else if (!(thrown instanceof StreamtoolError)) throw thrown
    }
  }
}

function patienceMs({facts: {status}}: StreamtoolError): number {
  return typeof status === 'number' && status >= 500 && status !== 503 ? ANSWERED_MS : UNANSWERED_MS
}
