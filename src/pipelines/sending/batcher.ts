/**
 * Packs records of many files into one request per partition, and keeps several requests under way within one
 * byte budget. A record waits for companions only while every request slot is busy or the loop that feeds it is
 * still adding: never for a timer.
 */
import {recordBytesUpperBound, RECORD_BATCH_HEADER_BYTES} from '../../core/chunk/index.js'
import {Semaphore} from '../../core/flow/index.js'
import type {OutgoingRecord, RecordProducer} from '../../core/ports.js'

/** More at once than these gain nothing: the broker works through them one by one. */
const REQUESTS_IN_FLIGHT = 8

export interface BatcherOptions {
  readonly topic: string
  readonly producer: RecordProducer
  /** The topic's max.message.bytes. */
  readonly maxBatchBytes: number
  /** Records accepted and not acknowledged, at most. */
  readonly inFlightBytes: number
  readonly signal: AbortSignal
}

interface Pending {
  readonly record: OutgoingRecord
  readonly bytes: number
  readonly release: () => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class Batcher {
  private readonly queues = new Map<number, Pending[]>()
  private readonly budget: Semaphore
  private readonly requests = new Semaphore(REQUESTS_IN_FLIGHT)
  /** Partitions that wait for a request slot. */
  private readonly waiting = new Set<number>()
  private flushScheduled = false

  constructor(private readonly options: BatcherOptions) {
    this.budget = new Semaphore(options.inFlightBytes)
  }

  /** Resolves with the acknowledgement once the record is accepted: its memory is within the budget. */
  async add(partition: number, record: OutgoingRecord): Promise<{readonly acknowledged: Promise<void>}> {
    const bytes = recordBytesUpperBound(record)
    const release = await this.budget.acquire(bytes, this.options.signal)
    const acknowledged = new Promise<void>((resolve, reject) => {
      const pending = {record, bytes, release, resolve, reject}
      const queue = this.queues.get(partition)
      if (queue) queue.push(pending)
      else this.queues.set(partition, [pending])
    })
    // Whoever added it may look at the acknowledgement only later.
    acknowledged.catch(() => undefined)
    this.scheduleFlush()
    return {acknowledged}
  }

  /** One turn of the event loop later, so that files read meanwhile share the request. */
  private scheduleFlush(): void {
    if (this.flushScheduled) return
    this.flushScheduled = true
    void Promise.resolve().then(async () => {
      this.flushScheduled = false
      for (const partition of this.queues.keys()) void this.sendFrom(partition)
    })
  }

  private async sendFrom(partition: number): Promise<void> {
    if (this.waiting.has(partition)) return
    this.waiting.add(partition)
    const release = await this.requests.acquire()
    this.waiting.delete(partition)
    const batch = this.takeBatch(partition)
    if (batch.length === 0) {
      release()
      return
    }
    const {topic, producer, signal} = this.options
    try {
      await producer.send({topic, partition, records: batch.map(({record}) => record)}, signal)
      for (const {resolve} of batch) resolve()
    } catch (thrown) {
      for (const {reject} of batch) reject(thrown)
    } finally {
      for (const pending of batch) pending.release()
      release()
    }
  }

  private takeBatch(partition: number): Pending[] {
    const queue = this.queues.get(partition) ?? []
    let bytes = RECORD_BATCH_HEADER_BYTES
    let count = 0
    for (const pending of queue) {
      if (count > 0 && bytes + pending.bytes > this.options.maxBatchBytes) break
      bytes += pending.bytes
      count += 1
    }
    const batch = queue.splice(0, count)
    if (queue.length === 0) this.queues.delete(partition)
    else void this.sendFrom(partition)
    return batch
  }
}
