/** Sends what is given up to the dead-letter topic; resolves only when it is acknowledged there. */
import {
  partitionForPath,
  type Poison,
  RECORD_BATCH_HEADER_BYTES,
  recordBytesUpperBound,
} from '../../core/chunk/index.js'
import {fileLetters, missingText, recordLetter, referenceLetter} from '../../core/dead-letters/index.js'
import {StreamtoolError} from '../../core/errors.js'
import type {ConsumedRecord, OutgoingRecord, RecordProducer, StepObserver} from '../../core/ports/index.js'
import type {OpenFile} from '../../core/reassembly/index.js'

/** Small letters share a batch up to this size; Kafka's own limit is 1 MiB unless the topic says otherwise. */
const BATCH_BYTES = 256 * 1024

export interface DeadLetterOptions {
  /** The dead-letter topic. */
  readonly topic: string
  readonly partitionCount: number
  /** Whose outcome it is. */
  readonly group: string
  readonly producer: RecordProducer
  readonly steps: StepObserver
}

export interface RefusedChunk {
  readonly record: ConsumedRecord
  readonly poison: Poison
}

export class DeadLetters {
  constructor(private readonly options: DeadLetterOptions) {}

  /**
   * Records that are no chunks, as they are; by reference what is too large to be sent again.
   * @throws what the producer throws; or the signal's reason
   */
  async refuse(refused: readonly RefusedChunk[], signal: AbortSignal): Promise<void> {
    let batch: RefusedChunk[] = []
    let batchBytes = RECORD_BATCH_HEADER_BYTES
    for (const each of refused) {
      const bytes = recordBytesUpperBound(this.copy(each))
      if (batch.length > 0 && batchBytes + bytes > BATCH_BYTES) {
        await this.sendCopies(batch, signal)
        batch = []
        batchBytes = RECORD_BATCH_HEADER_BYTES
      }
      batch.push(each)
      batchBytes += bytes
    }
    if (batch.length > 0) await this.sendCopies(batch, signal)
  }

  /** A file, by reference to its records. */
  async park(open: OpenFile, code: string, reason: string, signal: AbortSignal): Promise<void> {
    const {topic, path, sha512, uploadId, chunkCount} = open.file
    const letters = fileLetters({
      kind: 'file',
      cause: {code, reason, group: this.options.group},
      topic,
      path,
      sha512: sha512.toString('hex'),
      uploadId,
      chunkCount,
      missingChunks: missingText(open.missingChunks()),
      records: open.offsets,
    })
    const partition = partitionForPath(path, this.options.partitionCount)
    for (const letter of letters) await this.send(partition, [letter], signal)
  }

  private async sendCopies(refused: readonly RefusedChunk[], signal: AbortSignal): Promise<void> {
    const partition = (refused[0]?.record.partition ?? 0) % this.options.partitionCount
    try {
      await this.send(
        partition,
        refused.map((each) => this.copy(each)),
        signal,
      )
    } catch (thrown) {
      if (!(thrown instanceof StreamtoolError) || thrown.code !== 'MESSAGE_TOO_LARGE') throw thrown
      const [only] = refused
      if (refused.length > 1) for (const each of refused) await this.sendCopies([each], signal)
      else if (only) await this.send(partition, [referenceLetter(only.record, this.causeOf(only))], signal)
    }
  }

  private async send(
    partition: number,
    records: readonly OutgoingRecord[],
    signal: AbortSignal,
  ): Promise<void> {
    const {producer, topic, steps} = this.options
    steps.reached('before-produce')
    await producer.send({topic, partition, records}, signal)
    steps.reached('after-produce')
  }

  private copy(refused: RefusedChunk): OutgoingRecord {
    return recordLetter(refused.record, this.causeOf(refused))
  }

  private causeOf({poison: {poison: code, reason}}: RefusedChunk) {
    return {code, reason, group: this.options.group}
  }
}
