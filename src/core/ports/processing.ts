/** What is remembered of files that were processed, and of attempts to. Outlives the process, however it ends. */
import type {IncomingFile} from './destinations.js'

export interface ProcessedIndex {
  /** What was processed of the file's path before, by whatever process: this very generation, or a newer one. */
  look(file: IncomingFile): Promise<'same' | 'newer' | 'nothing'>
  /** Resolves when it is durable. Safe to repeat. */
  record(file: IncomingFile, sizeBytes: number): Promise<void>
}

/** Attempts on one upload of one file that has not been processed yet. */
export interface AttemptRecord {
  /** Begun so far, in all runs. */
  readonly attempts: number
  /** How often in a row the process ended in the middle of one. */
  readonly deaths: number
  /** One was begun, and its end was not written down. */
  readonly isRunning: boolean
}

export interface AttemptJournal {
  /** Null when there was none. */
  read(key: string): Promise<AttemptRecord | null>
  /** Survives the death of the process; a power cut may undo it. */
  write(key: string, record: AttemptRecord): Promise<void>
  forget(key: string): Promise<void>
}
