/** What becomes of a record whose attempts are used up: it stops the run, is skipped, or goes to a dead-letter topic. */
import {StreamtoolError} from '../../core/errors.js'
import type {
  ConsumedRecord,
  Logger,
  OutgoingRecord,
  RecordProducer,
  StepObserver,
} from '../../core/ports/index.js'
import {referenceLetter} from '../../core/dead-letters/index.js'
import {deadLetterTopicOf, failedRecord, TOLD_IN_SHORT} from '../../core/relay/index.js'
import type {Reporter} from '../../core/report.js'
import {nameOf} from './attempts.js'
import type {FailureOptions} from './options.js'
import type {RelayTally} from './tally.js'

/** Beyond so many, failures are still events and counted, but no longer lines of the log. */
const FAILURE_WARNINGS = 20

export interface FailuresOptions {
  readonly failure: FailureOptions
  readonly group: string
  readonly transformName: string
  /** Of the dead-letter topic of each input, by input; empty unless there is one. */
  readonly deadLetterPartitions: ReadonlyMap<string, number>
  readonly producer: RecordProducer
  readonly steps: StepObserver
  readonly tally: RelayTally
  readonly logger: Logger
  readonly reporter: Reporter
}

export class Failures {
  private told = 0

  constructor(private readonly options: FailuresOptions) {}

  /**
   * Resolves when the record is done.
   * @throws RECORD_FAILED when the run is to stop; or what the dead-letter topic's producer throws
   */
  async handle(record: ConsumedRecord, error: Error, attempts: number, signal: AbortSignal): Promise<void> {
    const {onFailure} = this.options.failure
    if (onFailure === 'stop') throw this.stopped(record, error, attempts)
    if (onFailure === 'dead-letter') await this.deadLetter(record, error, signal)
    this.options.tally.failed += 1
    this.tell(record, error, attempts, onFailure === 'skip' ? 'skipped' : 'dead-lettered')
  }

  private async deadLetter(record: ConsumedRecord, error: Error, signal: AbortSignal): Promise<void> {
    const {failure, group, deadLetterPartitions, producer, steps, tally} = this.options
    const topic = failure.deadLetterTopic ?? deadLetterTopicOf(record.topic, group)
    const partitionCount = deadLetterPartitions.get(record.topic) ?? 1
    const partition = record.partition % partitionCount
    let lastRefusal: unknown = null
    for (const letter of this.letters(record, error)) {
      steps.reached('before-produce')
      const refusal = await producer.send({topic, partition, records: [letter]}, signal).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      if (refusal === null) {
        steps.reached('after-produce')
        tally.deadLettered += 1
        return
      }
      lastRefusal = refusal
      if (!(refusal instanceof StreamtoolError && refusal.code === 'MESSAGE_TOO_LARGE')) break
    }
    throw lastRefusal
  }

  /** The same letter ever smaller: no topic that took the record may make its letter the end of every run. */
  private letters(record: ConsumedRecord, error: Error): readonly OutgoingRecord[] {
    const {group, transformName} = this.options
    const reason = error.message.slice(0, TOLD_IN_SHORT.message)
    return [
      failedRecord(record, transformName, error),
      failedRecord(record, transformName, error, TOLD_IN_SHORT),
      // Spring's headers without the value would be a tombstone to whoever sends the record back.
      referenceLetter(record, {code: codeOf(error), reason, group}),
    ]
  }

  private stopped(record: ConsumedRecord, error: Error, attempts: number): StreamtoolError {
    const {topic, partition, offset} = record
    this.options.tally.failed += 1
    this.tell(record, error, attempts, 'stopped')
    return new StreamtoolError(
      'RECORD_FAILED',
      `Record ${nameOf(record)} failed ${times(attempts)}: ${error.message}. It stays open: the next start tries it again.`,
      {
        cause: error,
        facts: {topic, partition, offset, attempts},
        suggestions: [
          ...(error instanceof StreamtoolError ? error.suggestions : []),
          '--on-failure dead-letter puts such records aside, on a topic of their own, and goes on.',
          '--on-failure skip loses them, and goes on.',
        ],
      },
    )
  }

  private tell(
    record: ConsumedRecord,
    error: Error,
    attempts: number,
    outcome: 'dead-lettered' | 'skipped' | 'stopped',
  ): void {
    const {topic, partition, offset} = record
    const code = codeOf(error)
    const reason = error.message
    this.options.reporter.event({
      event: 'record.failed',
      topic,
      partition,
      offset,
      attempts,
      outcome,
      code,
      reason,
    })
    // The error itself is told when the run ends by it.
    if (outcome === 'stopped') return
    this.told += 1
    const line = `Record ${nameOf(record)} failed ${times(attempts)} and is ${outcome}: ${reason}`
    if (this.told <= FAILURE_WARNINGS) this.options.logger.warn(line, {code})
    else this.options.logger.debug(line, {code})
    if (this.told === FAILURE_WARNINGS)
      this.options.logger.warn('Further records that fail are only counted.')
  }
}

const codeOf = (error: Error) => (error instanceof StreamtoolError ? error.code : 'RECORD_FAILED')

const times = (attempts: number) => (attempts === 1 ? 'once' : `${attempts} times`)
