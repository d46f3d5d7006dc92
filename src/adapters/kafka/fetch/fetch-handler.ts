/** Who reads; within an epoch, so that nothing here knows of groups. */
import type {PartitionRange} from '../../../core/ports/index.js'
import type {ConsumedRecord, TopicPartition} from '../../../core/record.js'

export interface FetchHandler {
  records(batch: FetchedBatch): Promise<void>
  outOfRange(range: PartitionRange, position: number): Promise<number>
}

export interface FetchedBatch extends TopicPartition {
  readonly records: readonly ConsumedRecord[]
  readonly nextOffset: number
  readonly endOffset: number
  /** See core/ports/consuming.ts, RecordBatch. */
  release(): void
}
