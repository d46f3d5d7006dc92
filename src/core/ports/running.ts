/** What a running command shows of itself to whoever asks, and what it can be told: for health, metrics, bindings. */

import type {Count, Level} from '../measures.js'

/** A snapshot; asking costs nothing and waits for nothing. */
export interface RunStatus {
  /** `draining`: it was told to stop, and finishes what it has. */
  readonly phase: 'starting' | 'running' | 'draining' | 'ended'
  readonly startedMs: number
  readonly broker: BrokerStatus
  /** The place that files are delivered to, when it can be away. */
  readonly storage?: BrokerStatus
  readonly inputs: readonly InputStatus[]
  readonly outputs: readonly OutputStatus[]
  readonly counts: Readonly<Partial<Record<Count, number>>>
  readonly levels: Readonly<Partial<Record<Level, number>>>
}

export interface BrokerStatus {
  /** Null before the first check. */
  readonly reachable: boolean | null
  /** When it was last checked, ms since the epoch. */
  readonly checkedMs: number | null
  /** Why it is not reachable; never a secret. */
  readonly reason: string | null
}

/** `paused` keeps its partitions and reads nothing; `stopped` has left its group. */
export type BindingState = 'running' | 'paused' | 'stopped'

/** One topic that is read. Topics of one binding are read by one member, and paused and stopped together. */
export interface InputStatus {
  /** `input`, as in Spring Cloud Stream. */
  readonly binding: string
  readonly topic: string
  readonly group: string
  readonly state: BindingState
  /** When records, or the news that there are none, came last; ms since the epoch. */
  readonly lastPollMs: number | null
  /** Those of this member; null while it is not assigned any by the group (joining, stopped). */
  readonly partitions: readonly PartitionStatus[] | null
}

export interface PartitionStatus {
  readonly partition: number
  /** The next offset to be read. */
  readonly position: number
  /** Everything below is done; what is committed follows it. */
  readonly safeOffset: number
  /** The end of the log when it was last heard of. */
  readonly endOffset: number
}

export interface OutputStatus {
  /** `output` */
  readonly binding: string
  /** A topic; of file commands the destination, as a user would name it. */
  readonly name: string
  readonly state: BindingState
}

/** What a relay or a delivery hands to whoever serves it. */
export interface RunControl {
  status(): RunStatus
  /** Resolves when it is so; what is so already, or names no input, is no error. */
  pause(binding: string): Promise<void>
  resume(binding: string): Promise<void>
  /** Finishes what it has, commits, leaves the group. */
  stop(binding: string): Promise<void>
  /** Joins the group again. */
  start(binding: string): Promise<void>
  /** The whole run ends well, as by SIGTERM. */
  shutdown(reason: string): void
}
