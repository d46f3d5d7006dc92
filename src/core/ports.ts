/**
 * What the core and the pipelines need of the world. Each port has one contract suite in test/contract/ that
 * runs on each of its adapters.
 *
 * Common to all: long calls take an AbortSignal and reject with its reason; errors are of the StreamtoolError
 * family; whatever is opened is closed by whoever opened it.
 */
import type {ConsumedRecord, OutgoingRecord, RecordHeader, TopicPartition} from './record.js'

// ---------------------------------------------------------------------------------------------- Kafka: topics

export interface TopicDescription {
  readonly topic: string
  /** Names the cluster in commit metadata, so that a map copied to another cluster is known as foreign. */
  readonly clusterId: string
  readonly partitionCount: number
  /** The topic's max.message.bytes: the largest record batch, header included; null when it may not be asked. */
  readonly maxMessageBytes: number | null
}

/** Offsets that can be read: `start <= offset < end`. `end` is the last stable offset. */
export interface PartitionRange extends TopicPartition {
  readonly start: number
  readonly end: number
}

export interface CommittedOffset extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number
  /** At most 4,096 bytes, and may be anybody's. */
  readonly metadata: string
}

export interface GroupMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly host: string
}

export interface TopicAdmin {
  /**
   * @param options.mayCreate lets a broker that creates topics on demand create this one.
   * @throws TOPIC_UNKNOWN, BROKER_UNREACHABLE, NOT_AUTHORISED
   */
  describeTopic(topic: string, options?: {mayCreate?: boolean}): Promise<TopicDescription>
  /** @throws TOPIC_UNKNOWN */
  partitionRanges(topic: string): Promise<readonly PartitionRange[]>
  /** Makes the topic unless it is there; resolves when it can be written to. */
  createTopic(topic: string, options: {partitions: number; config?: Record<string, string>}): Promise<void>
  /** Only partitions that have a committed offset are listed. */
  committedOffsets(groupId: string, topic: string): Promise<readonly CommittedOffset[]>
  groupMembers(groupId: string): Promise<readonly GroupMember[]>
  /**
   * Moves an idle group.
   * @throws GROUP_BUSY while the group has members
   */
  resetOffsets(groupId: string, offsets: readonly CommittedOffset[]): Promise<void>
  close(): Promise<void>
}

// ------------------------------------------------------------------------------------------- Kafka: producing

export interface RecordProducer {
  /**
   * Sends one record batch to one partition. Resolves only when the broker's answer names that partition with
   * error 0 and a base offset; retries through leader moves and outages until its patience ends, so a batch may
   * be on the topic more than once.
   * @throws MESSAGE_TOO_LARGE, TOPIC_UNKNOWN, NOT_AUTHORISED, BROKER_UNREACHABLE; or the signal's reason
   */
  send(batch: ProduceBatch, signal?: AbortSignal): Promise<{readonly baseOffset: number}>
  close(): Promise<void>
}

export interface ProduceBatch extends TopicPartition {
  readonly records: readonly OutgoingRecord[]
}

// ------------------------------------------------------------------------------------------- Kafka: consuming

/**
 * One assignment of partitions to this process: everything done under it goes through the generation and member
 * id captured when it began, so that the broker itself refuses what comes late.
 */
export interface Epoch {
  /** The group's generation. */
  readonly generation: number
  /** Aborted when the epoch is over: at once when its partitions were lost, else after `revoked` has resolved. */
  readonly signal: AbortSignal
  /**
   * One attempt, never retried by the adapter.
   * @throws GROUP_STALE when the epoch is over, GROUP_FENCED, BROKER_UNREACHABLE
   */
  commit(offsets: readonly CommittedOffset[]): Promise<void>
  /** Moves the fetch position; a batch already fetched for another position is dropped by the adapter. */
  seek(partition: TopicPartition, offset: number): void
}

export interface AssignedPartition extends PartitionRange {
  readonly committed: {readonly offset: number; readonly metadata: string} | null
}

export interface RecordBatch extends TopicPartition {
  readonly epoch: Epoch
  /** In offset order. May be empty: the position can move over records that nobody may see. */
  readonly records: readonly ConsumedRecord[]
  /** The position after this batch: control records, aborted and compacted ones are behind it too. */
  readonly nextOffset: number
  /** The last stable offset of the partition when this was fetched. */
  readonly endOffset: number
}

export interface GroupHandler {
  /** An epoch begins. Answers where to read each partition from; awaited before the first fetch. */
  assigned(epoch: Epoch, partitions: readonly AssignedPartition[]): Promise<readonly StartPosition[]>
  /**
   * Not called again for any partition of the same broker before it resolves, so awaiting is the back-pressure:
   * at most one further answer is fetched meanwhile. Heartbeats go on regardless.
   * Throwing ends `run` with that error.
   */
  records(batch: RecordBatch): Promise<void>
  /**
   * An epoch ends, and commits through it are still accepted unless `lost`. Awaited before rejoining; no
   * `records` call of the epoch begins after this one.
   */
  revoked(epoch: Epoch, partitions: readonly TopicPartition[], reason: RevokeReason): Promise<void>
  /** The position is outside the partition's range (trimmed or truncated). Answers where to go on. */
  outOfRange(epoch: Epoch, partition: PartitionRange, position: number): Promise<number>
}

export interface StartPosition extends TopicPartition {
  readonly offset: number
}

/** `stopping`: this member leaves. `rebalance`: the group regroups. `lost`: it has regrouped without us. */
export type RevokeReason = 'stopping' | 'rebalance' | 'lost'

export interface GroupConsumer {
  /**
   * Joins the group and calls the handler until the signal aborts; then revokes, and leaves unless it is a static
   * member that was told to stay. Tolerates outages of minutes.
   * @throws GROUP_FENCED, GROUP_INCOMPATIBLE, ASSIGNED_FOREIGN_TOPIC, TOPIC_UNKNOWN, NOT_AUTHORISED,
   *   CODEC_UNKNOWN, BROKER_UNREACHABLE; or what the handler threw
   */
  run(handler: GroupHandler, signal: AbortSignal): Promise<void>
}

export interface GroupOptions {
  readonly topics: readonly string[]
  readonly groupId: string
  /** Static membership: a process that comes back under this id takes its partitions over without a rebalance. */
  readonly instanceId: string | null
  /** Leave the group on a graceful stop; false keeps a static member's partitions for its successor. */
  readonly leaveOnStop: boolean
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly heartbeatMs?: number
}

// ---------------------------------------------------------------------------------------------- destinations

/**
 * Where a generation stands among the generations of its path: within a partition by offset, across partitions
 * by record time, then by the file's mtime.
 */
export interface GenerationOrder {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly mtimeMs: number | null
}

export interface IncomingFile {
  readonly topic: string
  /** Relative, `/`-separated, already checked: no empty, `.`, `..` or `.streamtool` component, no NUL. */
  readonly path: string
  readonly subdir: string
  readonly name: string
  readonly sha512: Buffer
  readonly chunkCount: number
  /** Known from the headers, or null until the last chunk. */
  readonly sizeBytes: number | null
  readonly mtimeMs: number | null
  readonly uploadId: string | null
  readonly crc32: Buffer | null
  /** Read it when it is needed, not at `open`: an earlier record of the generation may arrive meanwhile. */
  readonly order: GenerationOrder
  /** User metadata from `streamtool-meta-*` headers. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface Destination {
  /** Opens nothing visible: a file appears under its name in `finish` at the earliest. */
  open(file: IncomingFile, signal: AbortSignal): Promise<FileWriter>
  close(): Promise<void>
}

export type FinishOutcome = 'delivered' | 'superseded' | 'unchanged'

export interface FileWriter {
  /** The next bytes of the file. The caller awaits each call before the next, and leaves the buffer alone until then. */
  write(data: Buffer): Promise<void>
  /**
   * Called once, after size and SHA-512 are verified. Makes the file visible and durable, unless the destination
   * holds a newer generation of the path (`superseded`) or this very one (`unchanged`: it was delivered before a
   * crash that forgot to say so).
   */
  finish(sizeBytes: number): Promise<FinishOutcome>
  /** Leaves no trace. May be called at any time, also after a failed `write` or `finish`. */
  discard(): Promise<void>
}

/** Overflow for chunks that arrived ahead of their turn. One per assembly; gone when closed. */
export interface SpillFile {
  /** @returns the position to read it back from */
  append(data: Buffer): Promise<number>
  read(position: number, byteLength: number): Promise<Buffer>
  close(): Promise<void>
}

export interface SpillStore {
  create(): Promise<SpillFile>
}

// ---------------------------------------------------------------------------------------------- file sources

/** What a file was when it was looked at; a difference means it changed. */
export interface FileIdentity {
  readonly sizeBytes: number
  readonly mtimeMs: number
  readonly inode: string
}

export interface SourceFile {
  /** Relative and `/`-separated, as it goes on the wire. */
  readonly path: string
  /** As the user would name it. */
  readonly localPath: string
  readonly sizeBytes: number
  open(): Promise<SourceReader>
}

export interface SourceReader {
  identify(): Promise<FileIdentity>
  /** Fills as much of the buffer as there is from `position` on; fewer bytes only at the end of the file. */
  read(buffer: Buffer, position: number): Promise<number>
  close(): Promise<void>
}

export interface SourceProblem {
  readonly localPath: string
  readonly path: string | null
  /** FILE_SKIPPED: it is no file, so its absence is no failure, but worth telling. */
  readonly code: 'FILE_UNREADABLE' | 'PATH_UNSENDABLE' | 'FILE_SKIPPED'
  readonly reason: string
}

export interface FileSource {
  /**
   * Every regular file of the inputs, in a stable order, symbolic links followed for named inputs only.
   * @throws INPUT_MISSING, INPUT_COLLISION before anything was listed
   */
  list(): AsyncIterable<SourceFile | SourceProblem>
}

// ---------------------------------------------------------------------------------------------- surroundings

export interface Clock {
  nowMs(): number
  /** Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export interface Logger {
  debug(message: string, facts?: LogFacts): void
  info(message: string, facts?: LogFacts): void
  warn(message: string, facts?: LogFacts): void
  error(message: string, facts?: LogFacts): void
}
export type LogFacts = Readonly<Record<string, unknown>>

/**
 * The points at which a crash must lose nothing. Crash tests preload an observer that kills the process at one
 * of them; a run that never reached its label fails.
 */
export const STEPS = [
  'before-write',
  'after-write',
  'before-verify',
  'after-verify',
  'before-rename',
  'after-rename',
  'before-commit',
  'after-commit',
] as const
export type Step = (typeof STEPS)[number]

export interface StepObserver {
  /** Synchronous on purpose: nothing may happen between the step and what an observer does. */
  reached(step: Step): void
}

export type {ConsumedRecord, OutgoingRecord, RecordHeader, TopicPartition}
