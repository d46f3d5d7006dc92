/** The way of one record: transformed, addressed, handed to the output; or failed, and dealt with. */
import {asStreamtoolError, type StreamtoolError} from '../../core/errors.js'
import {abortable, isAborted} from '../../core/flow/index.js'
import type {ConsumedRecord, OutgoingRecord} from '../../core/ports/index.js'
import {type Addressed, type Partitioner, type Transformed, withContentType} from '../../core/relay/index.js'
import type {Attempted, Attempts} from './attempts.js'
import type {Failures} from './failures.js'
import type {Pause} from './lane.js'
import {type OpenRecord, Settling} from './open-record.js'
import type {RelayOptions} from './options.js'
import type {OutputWriter} from './output-writer.js'

export interface RecordHandlerOptions extends Pick<RelayOptions, 'contentType' | 'headerMode'> {
  readonly attempts: Attempts
  readonly failures: Failures
  readonly partitioner: Partitioner
  readonly onFailed: (error: Error) => void
}

export class RecordHandler {
  constructor(
    private readonly options: RecordHandlerOptions,
    private readonly writer: OutputWriter,
    /** Aborted when nobody waits for the record any more. */
    private readonly over: AbortSignal,
  ) {}

  /** A promise only when it takes time. @throws when the run cannot go on, or the lane is to stop */
  handle(open: OpenRecord, pause: Pause): void | Promise<void> {
    const attempted = this.options.attempts.run(open.record, pause, this.over)
    if (!(attempted instanceof Promise)) return this.conclude(open, attempted)
    // A transform that never answers must not hold up others for ever.
    return abortable(attempted, this.over).then((each) => this.conclude(open, each))
  }

  /** The output does not take what was made of it. Never rejects. @returns whether the run goes on */
  async refused(open: OpenRecord, error: StreamtoolError): Promise<boolean> {
    try {
      await this.options.failures.handle(open.record, error, 1, this.over)
    } catch (thrown) {
      if (!isAborted(this.over)) this.options.onFailed(asStreamtoolError(thrown))
      return false
    }
    if (open.gotOne()) {
      const settling = new Settling()
      settling.add(open)
      settling.flush()
    }
    return true
  }

  private conclude(open: OpenRecord, attempted: Attempted): void | Promise<void> {
    // What it failed at may be that nobody waits for it any more.
    if (isAborted(this.over)) {
      open.expectOne()
      return
    }
    if ('error' in attempted) return this.fail(open, attempted.error, attempted.attempts)
    let addressed: readonly Addressed[]
    try {
      addressed = this.addressed(open.record, attempted.transformed)
    } catch (thrown) {
      return this.fail(open, asStreamtoolError(thrown), 1)
    }
    for (const {partition, record} of addressed) this.writer.write(partition, record, open)
  }

  private fail(open: OpenRecord, error: Error, attempts: number): Promise<void> {
    return this.options.failures.handle(open.record, error, attempts, this.over)
  }

  private addressed(input: ConsumedRecord, transformed: Transformed): readonly Addressed[] {
    if (transformed === null) return []
    const outputs = Array.isArray(transformed)
      ? (transformed as readonly OutgoingRecord[])
      : [transformed as OutgoingRecord]
    return outputs.map((record) => this.options.partitioner(input, this.withHeaders(record)))
  }

  private withHeaders(record: OutgoingRecord): OutgoingRecord {
    const {headerMode, contentType} = this.options
    if (headerMode === 'none') return {...record, headers: []}
    if (contentType === null) return record
    return {...record, headers: withContentType(record.headers, contentType)}
  }
}
