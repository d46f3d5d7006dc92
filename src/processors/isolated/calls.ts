/** What the two sides ask of each other. */
import type {FileInfo, ProcessorLog, ResultRecord} from '../contract.js'
import type {WireError} from './wire-error.js'

export interface StartArgs {
  /** As the user wrote it; resolved again in the other process. */
  readonly plugin: string
  readonly from: string
  readonly also: readonly string[]
  readonly reservedFlags: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  readonly outputDir: string
}

export interface ProcessArgs {
  readonly file: FileInfo
  readonly sizeBytes: number
  /** Null: the content is to be read by `open` and `next`. */
  readonly localPath: string | null
}

/** What a forked process does. */
export interface ChildCalls {
  start: (args: StartArgs) => Promise<void>
  /** One at a time, with the two that follow. */
  process: (args: ProcessArgs, signal: AbortSignal) => Promise<void>
  failed: (args: {file: FileInfo; error: WireError}, signal: AbortSignal) => Promise<void>
  mismatched: (args: {file: FileInfo}, signal: AbortSignal) => Promise<void>
  /** The run ends. */
  stop: (reason: WireError) => Promise<void>
  /** Tears down, and exits. */
  close: (args: null) => Promise<void>
}

/** What it asks for meanwhile. */
export interface ParentCalls {
  produce: (record: ResultRecord, signal: AbortSignal) => Promise<void>
  returned: (value: Returned, signal: AbortSignal) => Promise<void>
  /** Waits for the lock; answers what to release. */
  acquire: (args: null, signal: AbortSignal) => Promise<number>
  release: (lock: number) => Promise<void>
  /** The content from its beginning; answers what to read. */
  open: (args: null) => Promise<number>
  /** The next piece, or null after the last one. */
  next: (reading: number) => Promise<Buffer | null>
  end: (reading: number) => Promise<void>
  log: (line: {
    level: keyof ProcessorLog
    message: string
    facts: Readonly<Record<string, unknown>>
  }) => Promise<void>
}

/** What `process` returned. Objects go as JSON, which is what becomes of them at last. */
export type Returned =
  | {readonly kind: 'plain'; readonly value: Buffer | string | null}
  | {readonly kind: 'json'; readonly text: string}
  /** It cannot be written as JSON; that matters only when there is a topic for it. */
  | {readonly kind: 'unwritable'; readonly reason: string}
  | {readonly kind: 'nothing'}
