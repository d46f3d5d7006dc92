/** The chunk as the core sees it, apart from how it is written on the wire. */
import {appendToStem} from './paths.js'

/** What every chunk of one upload of one file has in common. */
export interface FileIdentityOnWire {
  /** `/`-separated, '' for a file at the root. */
  readonly subdir: string
  /** The name as it is on the wire, before `nameAppend` is put in. */
  readonly wireName: string
  /** Goes between stem and suffix when the file is rebuilt; '' for nearly everybody. */
  readonly nameAppend: string
  readonly sha512: Buffer
  /** Number of chunks in the file, at least 1. */
  readonly count: number
  /** Seconds since the epoch; null when unknown (0 on the wire). */
  readonly mtimeSeconds: number | null
}

export interface Chunk extends FileIdentityOnWire {
  /** 1-based. */
  readonly index: number
  /** Where the data goes in the file, in bytes. */
  readonly offsetBytes: number
  readonly chunkSha512: Buffer
  readonly data: Buffer
}

/** What streamtool adds in record headers (wire-format.md); every field may be missing. */
export interface ChunkHeaders {
  /** Stays the same over a producer's retries, differs between two uploads of one file. */
  readonly uploadId: string | null
  readonly sizeBytes: number | null
  /** CRC-32 of the whole file, 4 bytes big-endian. */
  readonly crc32: Buffer | null
  /** All chunks of the file are in the partition of this one. */
  readonly partitionedByFile: boolean
  readonly metadata: Readonly<Record<string, string>>
}

/** The path that the rebuilt file has below its root. */
export function chunkPath(file: Pick<FileIdentityOnWire, 'subdir' | 'wireName' | 'nameAppend'>): string {
  const name = appendToStem(file.wireName, file.nameAppend)
  return file.subdir === '' ? name : `${file.subdir}/${name}`
}
