/**
 * What a processor is: a plain object with a `process` function, called once for each file that has been put
 * together and verified. This file is the whole contract: a plugin needs nothing else of streamtool.
 *
 *     setup -> process, process, ... (side by side, each again until it succeeds or its attempts are used up) -> teardown
 *                 └ attempts used up -> failed           content does not match its hash -> mismatched
 *
 * Throwing, rejecting and returning an `Error` are all a failure of that file, and of no other. Returning anything else
 * is success; an object is sent to the result topic as JSON when there is one. A file is processed at least once.
 */
import type {Readable} from 'node:stream'

/** A value on the command line, in the environment or in the configuration. */
export interface StringFlag {
  readonly type: 'string'
  readonly default?: string
  /** The only values allowed. */
  readonly choices?: readonly string[]
  readonly required?: boolean
  /** One line for --help. */
  readonly description?: string
}
export interface NumberFlag {
  readonly type: 'number'
  readonly default?: number
  readonly min?: number
  readonly max?: number
  readonly required?: boolean
  readonly description?: string
}
export interface BooleanFlag {
  readonly type: 'boolean'
  readonly default?: boolean
  readonly description?: string
}
export type FlagDefinition = StringFlag | NumberFlag | BooleanFlag
/** By name, in camelCase: `noiseFloor` is `--noise-floor`, and `process.options.noise-floor` in the configuration. */
export type FlagDefinitions = Readonly<Record<string, FlagDefinition>>

type FlagValue<F extends FlagDefinition> = F extends {type: 'number'}
  ? number
  : F extends {type: 'boolean'}
    ? boolean
    : F extends {choices: readonly (infer C)[]}
      ? C
      : string
/** What `context.options` holds: undefined only where a flag is neither required nor has a default. */
export type OptionsOf<Flags extends FlagDefinitions> = {
  readonly [Name in keyof Flags]: Flags[Name] extends
    {required: true} | {default: unknown} | {type: 'boolean'}
    ? FlagValue<Flags[Name]>
    : FlagValue<Flags[Name]> | undefined
}

/** Facts of a file, without its content. */
export interface FileInfo {
  readonly topic: string
  /** Relative to the directory it was uploaded from, `/`-separated: `run-7/scan.csv`. */
  readonly path: string
  /** Of the path: `run-7`, or empty. */
  readonly subdir: string
  /** Of the path: `scan.csv`. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** Of the whole content, in hex; it has been verified. */
  readonly sha512: string
  /** When the source was last modified, or null when its uploader did not say. */
  readonly mtime: Date | null
  /** How many records the file came in. */
  readonly chunks: number
  /** 1 at the first try; goes on counting when a file that was held is tried again by a later run. */
  readonly attempt: number
  /** The same for every attempt on this upload of this file, and for no other: use it where work must not be done twice. */
  readonly idempotencyKey: string
  /** What the uploader added: content type, tags. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface ProcessedFile extends FileInfo {
  /** The whole content. Refused (FILE_TOO_LARGE_FOR_MEMORY) above 2 GiB: use `stream()`. */
  bytes(): Promise<Buffer>
  /** The content from its beginning, each time it is called; memory does not grow with the file. */
  stream(): Readable
  /** A file with this content and this name, until `process` has ended; null in mode `memory`. */
  readonly localPath: string | null
}

/** A record to be sent. */
export interface ResultRecord {
  /** The result topic unless given. */
  readonly topic?: string
  readonly key?: string | Buffer | null
  /** An object is sent as JSON. */
  readonly value: string | Buffer | null | object
  readonly headers?: Readonly<Record<string, string | Buffer>>
}

export interface ProcessorLog {
  debug(message: string, facts?: Readonly<Record<string, unknown>>): void
  info(message: string, facts?: Readonly<Record<string, unknown>>): void
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void
  error(message: string, facts?: Readonly<Record<string, unknown>>): void
}

/** For `setup` and `teardown`. */
export interface RunContext<Flags extends FlagDefinitions = FlagDefinitions> {
  readonly options: OptionsOf<Flags>
  /** Exists, and is writable. Absolute. */
  readonly outputDir: string
  readonly log: ProcessorLog
  /** Aborted when the run ends. */
  readonly signal: AbortSignal
}

/** For what is done with one file. */
export interface ProcessorContext<Flags extends FlagDefinitions = FlagDefinitions> extends RunContext<Flags> {
  /** Names the file and the attempt in each line. */
  readonly log: ProcessorLog
  /** Aborted when the attempt has timed out, the file is no longer this process's, or the run ends. */
  readonly signal: AbortSignal
  /** Runs one at a time over all concurrent calls. */
  lock<T>(work: () => T | Promise<T>): Promise<T>
  /** Resolves when the record is acknowledged; the file counts as done only after all of them are. */
  produce(record: ResultRecord): Promise<void>
}

/** A record on its way through `passthrough`. */
export interface TransformRecord {
  readonly key: Buffer | null
  /** Null is a tombstone. */
  readonly value: Buffer | null
  readonly headers: readonly {readonly key: string; readonly value: Buffer | null}[]
  readonly timestamp: Date
}
export interface TransformContext<Flags extends FlagDefinitions = FlagDefinitions> extends RunContext<Flags> {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}
export type TransformedRecord = Partial<TransformRecord> | null | undefined

export interface Processor<Flags extends FlagDefinitions = FlagDefinitions> {
  /** Lower-case letters, digits and dashes. */
  readonly name: string
  readonly description?: string
  /** Become command-line flags and configuration keys. */
  readonly flags?: Flags
  setup?(context: RunContext<Flags>): unknown
  process?(file: ProcessedFile, context: ProcessorContext<Flags>): unknown
  /** A file's attempts are used up. What it throws is logged. */
  failed?(file: FileInfo, error: Error, context: ProcessorContext<Flags>): unknown
  /** A file's content does not match the hash its uploader recorded: it is not processed. */
  mismatched?(file: FileInfo, context: ProcessorContext<Flags>): unknown
  /** For `passthrough`: what to send for one record. Nothing, one, or several; what a record leaves out is the input's. */
  transform?(
    record: TransformRecord,
    context: TransformContext<Flags>,
  ):
    | TransformedRecord
    | readonly TransformedRecord[]
    | Promise<TransformedRecord | readonly TransformedRecord[]>
  teardown?(context: RunContext<Flags>): unknown
}

/** Adds types to a processor, and nothing else: a plain object will do as well. */
// Without flags there is no option at all, so that `context.options.x` is refused.
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type
export const defineProcessor = <const Flags extends FlagDefinitions = Record<never, never>>(
  processor: Processor<Flags>,
): Processor<Flags> => processor
