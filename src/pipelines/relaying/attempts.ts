/** Transforms a record, again and again with growing pauses, until it succeeds or its attempts are used up. */
import {asStreamtoolError, StreamtoolError} from '../../core/errors.js'
import {pauseAfter} from '../../core/flow/index.js'
import type {Clock, ConsumedRecord, Logger} from '../../core/ports/index.js'
import type {RecordTransform, Transformed} from '../../core/relay/index.js'
import type {Pause} from './lane.js'
import type {RetryOptions} from './options.js'

export interface AttemptsOptions {
  readonly transform: RecordTransform
  readonly retry: RetryOptions
  readonly clock: Clock
  readonly logger: Logger
}

/** What became of a record. */
export type Attempted =
  {readonly transformed: Transformed} | {readonly error: Error; readonly attempts: number}

export class Attempts {
  constructor(private readonly options: AttemptsOptions) {}

  /**
   * Answers at once when the transform does, so that a hundred thousand records need no promises.
   * @throws when the lane is to stop
   */
  run(record: ConsumedRecord, pause: Pause, signal: AbortSignal): Attempted | Promise<Attempted> {
    let answer: Transformed | Promise<Transformed>
    try {
      answer = this.begin(record, signal)
    } catch (thrown) {
      return this.again(record, asError(thrown), pause, signal)
    }
    if (!(answer instanceof Promise)) return {transformed: answer}
    return answer.then(
      (transformed) => ({transformed}),
      (thrown: unknown) => this.again(record, asError(thrown), pause, signal),
    )
  }

  private begin(record: ConsumedRecord, signal: AbortSignal): Transformed | Promise<Transformed> {
    const {transform, retry} = this.options
    if (retry.timeoutMs === null) return transform.transform(record, signal)
    return this.inTime(record, retry.timeoutMs, signal)
  }

  private async inTime(record: ConsumedRecord, timeoutMs: number, signal: AbortSignal): Promise<Transformed> {
    const {transform, clock} = this.options
    const [late, over] = [new AbortController(), new AbortController()]
    const limit = clock.sleep(timeoutMs, over.signal).then(() => {
      const error = timedOut(record, timeoutMs)
      late.abort(error)
      throw error
    })
    try {
      const answer = transform.transform(record, AbortSignal.any([signal, late.signal]))
      return await Promise.race([answer, limit])
    } finally {
      over.abort()
      limit.catch(() => undefined)
    }
  }

  private async again(
    record: ConsumedRecord,
    firstError: Error,
    pause: Pause,
    signal: AbortSignal,
  ): Promise<Attempted> {
    const {retry, clock, logger} = this.options
    let error = firstError
    for (let attempts = 1; ; attempts++) {
      if (error instanceof StreamtoolError && error.endsRun) throw error
      if (attempts >= retry.maxAttempts || !mayHelp(error)) return {error, attempts}
      const pauseMs = pauseAfter(attempts, retry.backOff)
      logger.debug(`Attempt ${attempts} of ${retry.maxAttempts} failed; the next in ${pauseMs} ms.`, {
        record: nameOf(record),
        reason: error.message,
      })
      await pause((stop) => clock.sleep(pauseMs, stop))
      try {
        return {transformed: await this.begin(record, signal)}
      } catch (thrown) {
        error = asError(thrown)
      }
    }
  }
}

function timedOut(record: ConsumedRecord, timeoutMs: number): StreamtoolError {
  const name = nameOf(record)
  return new StreamtoolError(
    'PROCESSING_TIMED_OUT',
    `Transforming ${name} took longer than ${timeoutMs / 1000} s and was given up.`,
    {
      facts: {record: name, timeoutMs},
      suggestions: ['Allow more with --timeout, or look at what it waits for.'],
    },
  )
}

/** What says of itself that it will not change is not tried again. */
const mayHelp = (error: Error) => !(error instanceof StreamtoolError && error.code === 'RECORD_FAILED')

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : asStreamtoolError(thrown))

export const nameOf = ({topic, partition, offset}: ConsumedRecord) => `${topic}-${partition}@${offset}`
