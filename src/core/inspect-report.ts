/** What `inspect` tells of a topic. The shapes are a contract: `--events` and `--json` print them as they are. */
import type {PoisonCode} from './chunk/index.js'

/**
 * `corrupt`: every chunk is there, and together they are not what their SHA-512 says.
 * `superseded`: a newer generation of the path is complete; how this one is does not matter any more.
 */
export type InspectedState = 'complete' | 'incomplete' | 'corrupt' | 'superseded'

/** Whether a complete file was hashed as a whole; each chunk always was. */
export type Verification = 'verified' | 'mismatch' | 'unverified'

/** Told by headers, and by the number of elements in the chunk. */
export type Producer = 'streamtool' | 'openmsistream' | 'openmsistream-9'

/**
 * Where a group stands with one file.
 * `done`: behind it. `next`: it will be delivered. `open`: the group will read it, and wait for what is missing.
 * `superseded`: a newer generation is done. `partial`: the group is past some of the chunks and not the others, as
 * after its offsets were moved; what it will still read is no whole file.
 */
export type GroupFileState = 'done' | 'next' | 'open' | 'superseded' | 'partial'

/** One generation. */
export interface InspectedFile {
  readonly path: string
  readonly state: InspectedState
  /** Of its chunks, each counted once. */
  readonly bytes: number
  /** Of the whole file; null when no chunk here tells. */
  readonly sizeBytes: number | null
  readonly chunks: number
  readonly chunksFound: number
  /** Chunk numbers (1-based) as short ranges, e.g. `3-5,9`. */
  readonly missingChunks?: string
  /** Records that repeat a chunk. */
  readonly duplicates: number
  readonly partitions: readonly number[]
  readonly verification: Verification | null
  /** Why it is corrupt, or not verified. */
  readonly reason?: string
  readonly sha512: string
  readonly uploadId: string | null
  readonly producer: Producer
  /** ISO 8601, UTC; of its oldest and its newest record. */
  readonly firstRecord: string | null
  readonly lastRecord: string | null
  /** With a group. */
  readonly group?: GroupFileState
}

export interface InspectedPartition {
  readonly partition: number
  readonly start: number
  readonly end: number
  readonly records: number
  readonly chunks: number
  readonly bytes: number
}

export interface PoisonCount {
  readonly code: PoisonCode
  readonly records: number
  /** The first that was met. */
  readonly example: {readonly partition: number; readonly offset: number; readonly reason: string}
}

export interface GroupPartition {
  readonly partition: number
  /** Below it nothing is open; null when the group has committed nothing here. */
  readonly safeOffset: number | null
  /** Offsets done above it, as the commit's metadata tells. */
  readonly doneAbove: number
  /** `none`: no map was committed. `foreign`: it is not streamtool's, or not of this topic, and is ignored. */
  readonly map: 'ours' | 'none' | 'foreign'
  /** How many offsets the safe one lies behind the end. */
  readonly lag: number
  /** Those of them that are not done. */
  readonly toRead: number
}

export interface GroupStanding {
  readonly group: string
  readonly members: number
  readonly partitions: readonly GroupPartition[]
  readonly files: Readonly<Record<GroupFileState, number>>
}

export interface InspectReport {
  readonly schema: 1
  readonly command: string
  readonly topic: string
  readonly interrupted: boolean
  readonly records: number
  /** Of the records' values. */
  readonly bytes: number
  /** Records that are chunks, and how many of them repeat one. */
  readonly chunks: number
  readonly duplicates: number
  readonly poison: number
  readonly poisonCodes: readonly PoisonCount[]
  readonly firstRecord: string | null
  readonly lastRecord: string | null
  readonly files: Readonly<Record<InspectedState, number>> & {
    /** Complete ones that were not hashed as a whole. */
    readonly unverified: number
    /** Those with chunks in several partitions. */
    readonly spread: number
  }
  /** Files, by who sent them. */
  readonly producers: Readonly<Record<Producer, number>>
  readonly partitions: readonly InspectedPartition[]
  readonly group: GroupStanding | null
  readonly inventory: readonly InspectedFile[]
  /** Files beyond what one object can hold; `--events` tells of all. */
  readonly inventoryOmitted: number
  readonly seconds: number
}
