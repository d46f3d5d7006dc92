import type {IntervalSet} from '../offsets/index.js'
import type {TopicPartition} from '../record.js'

export const LETTER_HEADER = {
  version: 'streamtool-dead-letter',
  kind: 'streamtool-dead-letter-kind',
  code: 'streamtool-dead-letter-code',
  reason: 'streamtool-dead-letter-reason',
  group: 'streamtool-dead-letter-group',
  topic: 'streamtool-dead-letter-topic',
  partition: 'streamtool-dead-letter-partition',
  offset: 'streamtool-dead-letter-offset',
} as const

export const LETTER_VERSION = '1'

/** Why something was given up, and by whom. */
export interface LetterCause {
  readonly code: string
  readonly reason: string
  readonly group: string
}

export interface RecordOrigin extends TopicPartition {
  readonly offset: number
}

/** A file of which chunks are missing, or that does not match its hash. */
export interface ParkedFile {
  readonly kind: 'file'
  readonly cause: LetterCause
  readonly topic: string
  readonly path: string
  /** Lower-case hex. */
  readonly sha512: string
  readonly uploadId: string | null
  readonly chunkCount: number
  /** Chunk numbers (1-based), as runs; may be cut. */
  readonly missingChunks: string
  /** Its records, by partition. */
  readonly records: ReadonlyMap<number, IntervalSet>
}

/** A record that is no chunk. */
export interface RefusedRecord {
  readonly kind: 'record'
  readonly cause: LetterCause
  readonly origin: RecordOrigin
  /** The letter holds the record itself, not only where it is. */
  readonly isCopy: boolean
}

export type DeadLetter = ParkedFile | RefusedRecord
