/**
 * A store that fails is waited for; but one that fails at a single object, again and again, would keep a run from
 * ending for ever. So when a key has been answered with 5xx for a while, another object is written: if that succeeds,
 * the failure is the key's own, and its file is held.
 */
import type {StreamtoolError} from '../../core/errors.js'

/** Of calls that were tried several times each; the pauses between make it about a minute. */
const PATIENT_ROUNDS = 8

export class LoneFailures {
  private readonly rounds = new Map<string, number>()

  /** @param writesElsewhere throws what the store answers to another object */
  constructor(private readonly writesElsewhere: () => Promise<void>) {}

  /** What is the matter with the store; null when it is only the key. */
  async troubleOf(failure: StreamtoolError): Promise<StreamtoolError | null> {
    const {key, status} = failure.facts
    // Without an answer it is away; told to slow down, it is there, and all right.
    const isOfTheKey =
      typeof key === 'string' && typeof status === 'number' && status >= 500 && status !== 503
    if (!isOfTheKey) return failure
    const rounds = (this.rounds.get(key) ?? 0) + 1
    this.rounds.set(key, rounds)
    if (rounds < PATIENT_ROUNDS) return failure
    return this.writesElsewhere().then(
      () => null,
      () => failure,
    )
  }

  /** Its file came to its end. */
  forget(key: string): void {
    this.rounds.delete(key)
  }
}
