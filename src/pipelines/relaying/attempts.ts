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
      answer = this.options.transform.transform(record, signal)
    } catch (thrown) {
      return this.again(record, asError(thrown), pause, signal)
    }
    if (!(answer instanceof Promise)) return {transformed: answer}
    return answer.then(
      (transformed) => ({transformed}),
      (thrown: unknown) => this.again(record, asError(thrown), pause, signal),
    )
  }

  private async again(
    record: ConsumedRecord,
    firstError: Error,
    pause: Pause,
    signal: AbortSignal,
  ): Promise<Attempted> {
    const {transform, retry, clock, logger} = this.options
    let error = firstError
    for (let attempts = 1; ; attempts++) {
      if (attempts >= retry.maxAttempts || !mayHelp(error)) return {error, attempts}
      const pauseMs = pauseAfter(attempts, retry.backOff)
      logger.debug(`Attempt ${attempts} of ${retry.maxAttempts} failed; the next in ${pauseMs} ms.`, {
        record: nameOf(record),
        reason: error.message,
      })
      await pause((stop) => clock.sleep(pauseMs, stop))
      try {
        return {transformed: await transform.transform(record, signal)}
      } catch (thrown) {
        error = asError(thrown)
      }
    }
  }
}

/** What says of itself that it will not change is not tried again. */
const mayHelp = (error: Error) => !(error instanceof StreamtoolError && error.code === 'RECORD_FAILED')

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : asStreamtoolError(thrown))

export const nameOf = ({topic, partition, offset}: ConsumedRecord) => `${topic}-${partition}@${offset}`
