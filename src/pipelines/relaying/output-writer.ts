/**
 * Sends records to the output, and says so when it has acknowledged them. What is handed over in one go travels
 * together, in batches as large as the topic takes. A partition has one request under way at a time, so that no retry
 * can put a later record before an earlier one; meanwhile its next batch gathers. Partitions go side by side.
 *
 * `Batcher` (core/flow) is for what has no order and is awaited one by one: chunks, results.
 */
import {recordBytesUpperBound} from '../../core/chunk/index.js'
import {StreamtoolError} from '../../core/errors.js'
import {firstBatch, Gauge, isAborted, REQUESTS_IN_FLIGHT, Semaphore} from '../../core/flow/index.js'
import type {OutgoingRecord, RecordProducer, StepObserver} from '../../core/ports/index.js'
import type {OutputBinding} from './binding.js'
import {type OpenRecord, Settling} from './open-record.js'

export interface OutputWriterOptions {
  readonly topic: string
  readonly producer: RecordProducer
  readonly binding: OutputBinding
  readonly maxBatchBytes: number
  readonly steps: StepObserver
  readonly onWritten: (records: number) => void
  /**
   * The output does not take this record, however often it is sent. Never rejects.
   * @returns whether it is dealt with; if not, nothing further goes to its partition
   */
  readonly onRefused: (open: OpenRecord, error: StreamtoolError) => Promise<boolean>
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
  /** Something could not be sent: what comes behind it must not arrive before it. */
  hasEnded: boolean
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
    open.expectOne()
    const queue = this.queueOf(partition)
    if (queue.hasEnded) return
    const bytes = recordBytesUpperBound(record)
    this.bytes.add(bytes)
    this.records.add(1)
    queue.entries.push({record, bytes, open})
    if (queue.isSending) return
    queue.isSending = true
    // After whoever writes has handed over what it has.
    queueMicrotask(() => void this.sendAll(queue))
  }

  private queueOf(partition: number): Queue {
    let queue = this.queues.get(partition)
    if (!queue)
      this.queues.set(partition, (queue = {partition, entries: [], isSending: false, hasEnded: false}))
    return queue
  }

  /** Never rejects: what cannot be sent is told to those who wait for it. */
  private async sendAll(queue: Queue): Promise<void> {
    const sendNext = () =>
      this.slots.run(() => this.send(queue.partition, takeBatch(queue, this.options.maxBatchBytes)))
    while (queue.entries.length > 0 && !queue.hasEnded && !isAborted(this.signal))
      if ((await this.options.binding.run(sendNext, this.signal)) === false) this.end(queue)
    queue.isSending = false
  }

  /** @returns whether what comes behind it may be sent */
  private async send(partition: number, batch: readonly Entry[]): Promise<boolean> {
    const {topic, producer, steps, onFailed} = this.options
    if (isAborted(this.signal)) return false
    try {
      steps.reached('before-produce')
      await producer.send({topic, partition, records: batch.map(({record}) => record)}, this.signal)
      steps.reached('after-produce')
    } catch (thrown) {
      if (isAborted(this.signal)) return false
      if (isTooLarge(thrown)) return this.sendEach(partition, batch, thrown)
      onFailed(thrown instanceof Error ? thrown : new Error(String(thrown)))
      this.giveBack(batch)
      return false
    }
    if (isAborted(this.signal)) return false
    this.options.onWritten(batch.length)
    this.settle(batch)
    return true
  }

  /** One by one, so that only what is too large by itself is refused. */
  private async sendEach(
    partition: number,
    batch: readonly Entry[],
    error: StreamtoolError,
  ): Promise<boolean> {
    const [first] = batch
    if (batch.length === 1 && first !== undefined) {
      const isDealtWith = await this.options.onRefused(first.open, error)
      this.giveBack(batch)
      return isDealtWith
    }
    for (const [i, entry] of batch.entries()) {
      if (await this.send(partition, [entry])) continue
      this.giveBack(batch.slice(i + 1))
      return false
    }
    return true
  }

  /** What was not sent stays open, and is read again by the next run, in its order. */
  private end(queue: Queue): void {
    queue.hasEnded = true
    this.giveBack(queue.entries.splice(0))
  }

  private settle(batch: readonly Entry[]): void {
    const settling = new Settling()
    for (const {open} of batch) if (open.gotOne()) settling.add(open)
    settling.flush()
    this.giveBack(batch)
  }

  private giveBack(batch: readonly Entry[]): void {
    this.records.subtract(batch.length)
    this.bytes.subtract(batch.reduce((sum, {bytes}) => sum + bytes, 0))
  }
}

function takeBatch(queue: Queue, maxBatchBytes: number): Entry[] {
  const {count} = firstBatch(queue.entries, maxBatchBytes)
  const batch = count === queue.entries.length ? queue.entries : queue.entries.slice(0, count)
  queue.entries = count === queue.entries.length ? [] : queue.entries.slice(count)
  return batch
}

const isTooLarge = (thrown: unknown): thrown is StreamtoolError =>
  thrown instanceof StreamtoolError && thrown.code === 'MESSAGE_TOO_LARGE'
