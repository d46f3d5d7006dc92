/** Where files to be sent come from. */

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
