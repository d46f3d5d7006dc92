/**
 * Packs records of many files into one request per partition, and keeps several requests under way within one
 * byte budget. No record waits for a timer: while a partition has a request under way its small records gather for
 * the next one (as Nagle's algorithm does for a connection); without one, or with a batch that is full, they go.
 */
import {recordBytesUpperBound} from '../chunk/index.js'
import type {OutgoingRecord, RecordProducer, StepObserver} from '../ports/index.js'
import {firstBatch, REQUESTS_IN_FLIGHT} from './batch.js'
import {Semaphore} from './semaphore.js'

export interface BatcherOptions {
  readonly topic: string
  readonly producer: RecordProducer
  readonly maxBatchBytes: number
  /** Records accepted and not acknowledged, at most. */
  readonly inFlightBytes: number
  readonly steps: StepObserver
  readonly signal: AbortSignal
}

interface Pending {
  readonly record: OutgoingRecord
  readonly bytes: number
  readonly settle: (failure: Error | null) => void
}

/** What one partition has to send. */
class PartitionQueue {
  readonly pending: Pending[] = []
  pendingBytes = 0
  requestsUnderWay = 0
  /** A request slot was asked for and has not been given yet. */
  waitingForSlot = false

  constructor(readonly partition: number) {}

  mayGo(maxBatchBytes: number): boolean {
    if (this.pending.length === 0 || this.waitingForSlot) return false
    const isFull = this.pendingBytes * 2 > maxBatchBytes
    return isFull || this.requestsUnderWay === 0
  }

  takeBatch(maxBatchBytes: number): Pending[] {
    const {count, recordBytes} = firstBatch(this.pending, maxBatchBytes)
    this.pendingBytes -= recordBytes
    return this.pending.splice(0, count)
  }
}

export class Batcher {
  private readonly queues = new Map<number, PartitionQueue>()
  private readonly budget: Semaphore
  private readonly slots = new Semaphore(REQUESTS_IN_FLIGHT)

  constructor(private readonly options: BatcherOptions) {
    this.budget = new Semaphore(options.inFlightBytes)
  }

  /**
   * Resolves with the promise of its acknowledgement once the record's memory is within the budget.
   * @throws the signal's reason
   */
  async add(partition: number, record: OutgoingRecord): Promise<{readonly acknowledged: Promise<void>}> {
    const bytes = recordBytesUpperBound(record)
    const release = await this.budget.acquire(bytes, this.options.signal)
    const queue = this.queueOf(partition)
    const acknowledged = new Promise<void>((resolve, reject) => {
      const settle: Pending['settle'] = (failure) => {
        release()
        if (failure === null) resolve()
        else reject(failure)
      }
      queue.pending.push({record, bytes, settle})
      queue.pendingBytes += bytes
    })
    // Whoever added it may look at the acknowledgement only later.
    acknowledged.catch(() => undefined)
    void this.sendWhatMayGo(queue)
    return {acknowledged}
  }

  private queueOf(partition: number): PartitionQueue {
    let queue = this.queues.get(partition)
    if (!queue) this.queues.set(partition, (queue = new PartitionQueue(partition)))
    return queue
  }

  /** Never rejects: what happens to a batch is told to its records. */
  private async sendWhatMayGo(queue: PartitionQueue): Promise<void> {
    const {maxBatchBytes} = this.options
    while (queue.mayGo(maxBatchBytes)) {
      queue.waitingForSlot = true
      const release = await this.slots.acquire()
      queue.waitingForSlot = false
      queue.requestsUnderWay += 1
      void this.send(queue.partition, queue.takeBatch(maxBatchBytes)).finally(() => {
        queue.requestsUnderWay -= 1
        release()
        void this.sendWhatMayGo(queue)
      })
    }
  }

  private async send(partition: number, batch: readonly Pending[]): Promise<void> {
    const {topic, producer, steps, signal} = this.options
    let failure: Error | null = null
    try {
      steps.reached('before-produce')
      await producer.send({topic, partition, records: batch.map(({record}) => record)}, signal)
      steps.reached('after-produce')
    } catch (thrown) {
      failure = thrown instanceof Error ? thrown : new Error(String(thrown))
    }
    for (const {settle} of batch) settle(failure)
  }
}
