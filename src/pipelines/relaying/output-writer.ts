/**
 * Sends records to the output, and says so when it has acknowledged them. What is handed over in one go travels
 * together, in batches as large as the topic takes. A partition has one request under way at a time, so that no retry
 * can put a later record before an earlier one; meanwhile its next batch gathers. Partitions go side by side.
 */
import {RECORD_BATCH_HEADER_BYTES, recordBytesUpperBound} from '../../core/chunk/index.js'
import {StreamtoolError} from '../../core/errors.js'
import {Gauge, isAborted, Semaphore} from '../../core/flow/index.js'
import type {OutgoingRecord, RecordProducer, StepObserver} from '../../core/ports/index.js'
import {type OpenRecord, Settling} from './open-record.js'

/** More at once than these gain nothing: the broker works through them one by one. */
const REQUESTS_IN_FLIGHT = 8

export interface OutputWriterOptions {
  readonly topic: string
  readonly producer: RecordProducer
  readonly maxBatchBytes: number
  readonly steps: StepObserver
  readonly onWritten: (records: number) => void
  /** The output does not take this record, however often it is sent. */
  readonly onRefused: (open: OpenRecord, error: StreamtoolError) => void
  /** Nothing can be sent any more. */
  readonly onFailed: (error: Error) => void
}

interface Entry {
  readonly record: OutgoingRecord
  readonly bytes: number
  readonly open: OpenRecord
}

interface Queue {
  readonly partition: number
  entries: Entry[]
  isSending: boolean
}

export class OutputWriter {
  /** Handed over and not acknowledged. */
  readonly bytes = new Gauge()
  readonly records = new Gauge()
  private readonly queues = new Map<number, Queue>()
  private readonly slots = new Semaphore(REQUESTS_IN_FLIGHT)

  /** @param signal nothing is sent, or told, after it has aborted */
  constructor(
    private readonly options: OutputWriterOptions,
    private readonly signal: AbortSignal,
  ) {}

  /** Comes back at once; see {@link bytes} and {@link records} for how much is under way. */
  write(partition: number, record: OutgoingRecord, open: OpenRecord): void {
    const bytes = recordBytesUpperBound(record)
    open.expectOne()
    this.bytes.add(bytes)
    this.records.add(1)
    let queue = this.queues.get(partition)
    if (!queue) this.queues.set(partition, (queue = {partition, entries: [], isSending: false}))
    queue.entries.push({record, bytes, open})
    if (queue.isSending) return
    queue.isSending = true
    const ready = queue
    // After whoever writes has handed over what it has.
    queueMicrotask(() => void this.sendAll(ready))
  }

  /** Never rejects: what cannot be sent is told to those who wait for it. */
  private async sendAll(queue: Queue): Promise<void> {
    while (queue.entries.length > 0 && !isAborted(this.signal)) {
      const release = await this.slots.acquire()
      await this.send(queue.partition, takeBatch(queue, this.options.maxBatchBytes)).finally(release)
    }
    queue.isSending = false
  }

  private async send(partition: number, batch: readonly Entry[]): Promise<void> {
    const {topic, producer, steps, onFailed} = this.options
    if (isAborted(this.signal)) return
    try {
      steps.reached('before-produce')
      await producer.send({topic, partition, records: batch.map(({record}) => record)}, this.signal)
      steps.reached('after-produce')
    } catch (thrown) {
      if (isAborted(this.signal)) return
      if (!isTooLarge(thrown)) onFailed(thrown instanceof Error ? thrown : new Error(String(thrown)))
      else if (batch.length > 1) for (const entry of batch) await this.send(partition, [entry])
      else this.refuse(batch, thrown)
      return
    }
    if (isAborted(this.signal)) return
    this.options.onWritten(batch.length)
    this.settle(batch)
  }

  private settle(batch: readonly Entry[]): void {
    const settling = new Settling()
    for (const {open} of batch) if (open.gotOne()) settling.add(open)
    settling.flush()
    this.giveBack(batch)
  }

  private refuse(batch: readonly Entry[], error: StreamtoolError): void {
    for (const {open} of batch) this.options.onRefused(open, error)
    this.giveBack(batch)
  }

  private giveBack(batch: readonly Entry[]): void {
    this.records.subtract(batch.length)
    this.bytes.subtract(batch.reduce((sum, {bytes}) => sum + bytes, 0))
  }
}

function takeBatch(queue: Queue, maxBatchBytes: number): Entry[] {
  let bytes = RECORD_BATCH_HEADER_BYTES
  let count = 0
  for (const entry of queue.entries) {
    if (count > 0 && bytes + entry.bytes > maxBatchBytes) break
    bytes += entry.bytes
    count += 1
  }
  const batch = count === queue.entries.length ? queue.entries : queue.entries.slice(0, count)
  queue.entries = count === queue.entries.length ? [] : queue.entries.slice(count)
  return batch
}

const isTooLarge = (thrown: unknown): thrown is StreamtoolError =>
  thrown instanceof StreamtoolError && thrown.code === 'MESSAGE_TOO_LARGE'
