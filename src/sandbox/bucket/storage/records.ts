/** What is written down of objects and uploads, one JSON file each; the bytes are in data files. */
import type {Checksums, ChecksumName, ChecksumType} from '../checksums/algorithms.js'

/** A data file, or the piece of an object that it is. */
export interface Segment {
  readonly file: string
  readonly size: number
}

export interface ObjectTraits {
  /** Given back as they came: content-type, x-amz-meta-…, x-amz-storage-class, x-amz-server-side-encryption… */
  readonly headers: Readonly<Record<string, string>>
  readonly tags: readonly (readonly [key: string, value: string])[]
}

export interface ObjectRecord extends ObjectTraits {
  readonly key: string
  readonly size: number
  /** Without its quotes. */
  readonly etag: string
  readonly modifiedMs: number
  /** In order; one for each part. */
  readonly segments: readonly Segment[]
  readonly partCount: number | null
  readonly checksum: {readonly name: ChecksumName; readonly type: ChecksumType; readonly value: string}
}

export interface UploadRecord extends ObjectTraits {
  readonly uploadId: string
  readonly key: string
  readonly startedMs: number
  readonly checksum: {
    readonly name: ChecksumName
    readonly type: ChecksumType
    /** Whether the client asked for it, and so must send it with the parts. */
    readonly isChosen: boolean
  }
}

export interface PartRecord extends Segment {
  readonly partNumber: number
  readonly etag: string
  readonly modifiedMs: number
  readonly checksums: Checksums
}

export interface Upload {
  readonly record: UploadRecord
  readonly parts: Map<number, PartRecord>
}
