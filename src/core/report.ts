/**
 * What a pipeline tells while it runs (events, progress) and when it ends (reports). The shapes are a contract:
 * `--events` and `--json` print them as they are.
 */
import type {ExitCode} from './errors.js'
import type {InspectedFile, InspectReport} from './inspect-report.js'

export type Outcome =
  'delivered' | 'failed' | 'held' | 'superseded' | 'parked' | 'skipped' | 'open' | 'incomplete'

export interface Problem {
  readonly path: string
  readonly outcome: Outcome
  readonly code: string
  readonly reason: string
  /** Chunk numbers (1-based) as short ranges, e.g. `3-5,9`, when chunks are missing. */
  readonly missingChunks?: string
}

export interface UploadReport {
  readonly schema: 1
  readonly command: string
  readonly topic: string
  readonly interrupted: boolean
  readonly files: {readonly uploaded: number; readonly skipped: number; readonly failed: number}
  readonly bytes: number
  readonly records: number
  readonly seconds: number
  readonly problems: readonly Problem[]
}

export interface DeliverReport {
  readonly schema: 1
  readonly command: string
  readonly topic: string
  readonly group: string
  readonly interrupted: boolean
  readonly records: number
  readonly bytes: number
  readonly files: {
    readonly delivered: number
    /** Held files count here too. */
    readonly failed: number
    readonly held: number
    readonly open: number
    readonly incomplete: number
    readonly superseded: number
    readonly parked: number
    readonly skipped: number
  }
  readonly poison: number
  readonly seconds: number
  readonly problems: readonly Problem[]
}

/** Of `passthrough`. */
export interface RelayReport {
  readonly schema: 1
  readonly command: string
  /** Several, separated by commas. */
  readonly input: string
  readonly output: string
  readonly group: string
  readonly interrupted: boolean
  readonly records: {
    /** Taken from the inputs, and done. */
    readonly read: number
    /** Acknowledged by the output. */
    readonly written: number
    /** Their attempts were used up; those that went to a dead-letter topic too. */
    readonly failed: number
    readonly deadLettered: number
  }
  readonly seconds: number
}

/** Everything a run tells while it goes on; the reporter adds `time` (ISO 8601, UTC). */
export type PipelineEvent =
  | {readonly event: 'started'; readonly command: string; readonly topic: string; readonly group?: string}
  | {
      readonly event: 'file.uploaded'
      readonly path: string
      readonly bytes: number
      readonly chunks: number
      readonly partition: number
      readonly sha512: string
      readonly uploadId: string
    }
  | {
      readonly event: 'file.delivered' | 'file.superseded'
      readonly path: string
      readonly bytes: number
      readonly chunks: number
      readonly partition: number
      readonly sha512: string
      readonly uploadId: string | null
    }
  | {
      readonly event: 'file.failed' | 'file.held' | 'file.parked' | 'file.incomplete' | 'file.skipped'
      readonly path: string
      readonly code: string
      readonly reason: string
      readonly missingChunks?: string
    }
  | {
      readonly event: 'record.poison'
      readonly topic: string
      readonly partition: number
      readonly offset: number
      readonly code: string
      readonly reason: string
    }
  | {
      readonly event: 'record.failed'
      readonly topic: string
      readonly partition: number
      readonly offset: number
      readonly attempts: number
      /** What became of it. */
      readonly outcome: 'dead-lettered' | 'skipped' | 'stopped'
      readonly code: string
      readonly reason: string
    }
  | {
      readonly event: 'assignment'
      readonly generation: number
      readonly partitions: readonly {
        /** Of a run that reads several. */
        readonly topic?: string
        readonly partition: number
        readonly offset: number
        readonly end: number
      }[]
    }
  | {
      readonly event: 'committed'
      /** Of a run that reads several. */
      readonly topic?: string
      readonly partitions: readonly {
        readonly partition: number
        readonly offset: number
        readonly doneAbove: number
      }[]
    }
  | {
      readonly event: 'warning'
      readonly code: string
      readonly message: string
      readonly [fact: string]: unknown
    }
  | ({readonly event: 'file.inspected'} & InspectedFile)
  | {readonly event: 'finished'; readonly report?: UploadReport | DeliverReport | InspectReport | RelayReport}

/** A snapshot for the progress display; taken about ten times a second by the reporter, never pushed. */
export interface Progress {
  /** What is going on, in a word: `sending`; `joining`, `reading`, `waiting`. */
  readonly phase: string
  /** What is counted; files unless given. */
  readonly unit?: 'file' | 'record'
  readonly filesDone: number
  /** Known only for uploads. */
  readonly filesTotal: number | null
  readonly bytesDone: number
  readonly bytesTotal: number | null
  /** Files begun and not concluded. */
  readonly filesOpen: number
  /** The file that is moving now, if one stands out. */
  readonly currentPath: string | null
}

export interface Reporter {
  event(event: PipelineEvent): void
  /** The pipeline hands over a function; the reporter calls it whenever it wants to draw. */
  watch(progress: () => Progress): void
}

export interface PipelineResult<Report> {
  readonly report: Report
  readonly exitCode: ExitCode
}

/** Of a run that was stopped before it began. */
export const nothingDelivered = (
  command: string,
  topic: string,
  group: string,
  interrupted: boolean,
): DeliverReport => ({
  schema: 1,
  command,
  topic,
  group,
  interrupted,
  records: 0,
  bytes: 0,
  files: {delivered: 0, failed: 0, held: 0, open: 0, incomplete: 0, superseded: 0, parked: 0, skipped: 0},
  poison: 0,
  seconds: 0,
  problems: [],
})
