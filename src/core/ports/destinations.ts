/** Where finished files go, and where chunks wait for their turn. */

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
  /**
   * Time of the record that holds the first chunk, -1 without one; null until that has been read, so at `open` it is
   * known. The same whenever the file is read, unlike that of {@link order}, where chunks lie in several partitions.
   */
  readonly firstChunkMs: number | null
  /** User metadata from `streamtool-meta-*` headers. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface Destination {
  /** Opens nothing visible: a file appears under its name in `finish` at the earliest. */
  open(file: IncomingFile, signal: AbortSignal): Promise<FileWriter>
  /**
   * What was delivered of the file's path before, by whatever process: this very generation, a newer one, or
   * nothing that it remembers.
   */
  recall(file: IncomingFile): Promise<'same' | 'newer' | 'nothing'>
  /** Its content does not match the hash that its uploader recorded, and it will not be finished. Must not reject. */
  mismatched?(file: IncomingFile): Promise<void>
  close(): Promise<void>
}

export type FinishOutcome = 'delivered' | 'superseded' | 'unchanged' | 'kept'

export interface FileWriter {
  /**
   * The next bytes of the file. The caller awaits each call before the next, and leaves the buffer alone until then;
   * afterwards its memory is written over.
   */
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
  /** Fills the place with what begins at the position. */
  read(position: number, place: Buffer): Promise<void>
  close(): Promise<void>
}

export interface SpillStore {
  /** @param signal ends every wait for the storage, with its reason */
  create(signal?: AbortSignal): Promise<SpillFile>
}
