/** Where the content of a file is kept while somebody works with it. */
import type {IncomingFile} from './destinations.js'

/** The content of one whole, verified file. */
export interface StagedFile {
  readonly sizeBytes: number
  /** A file of that name with this content, until `release`; null when it is kept in memory only. */
  readonly localPath: string | null
  /** In memory already, or null: then it is to be read from {@link read}. */
  readonly content: Buffer | null
  /** From its beginning, each time it is called, in pieces of bounded size. */
  read(signal?: AbortSignal): AsyncIterable<Buffer>
  /** Leaves no trace. */
  release(): Promise<void>
}

/** As whoever has it worked on sees it: workers may have changed it, or taken it away. */
export interface SealedFile extends StagedFile {
  /**
   * Between two attempts: the next one gets what the first one got.
   * @throws STORAGE_FAILED when nothing of it is left as it was: then the file has to be read again
   */
  restore(): Promise<void>
  /** After success: moves the file to where the user wants to have it, if so; only `release` is left to be called. */
  keep(): Promise<void>
}

export interface StagingWriter {
  /** The caller awaits each call before the next, and leaves the buffer alone until then. */
  write(data: Buffer): Promise<void>
  /** Once, when the content is whole and verified. */
  seal(): Promise<SealedFile>
  discard(): Promise<void>
}

export interface FileStaging {
  open(file: IncomingFile, signal: AbortSignal): Promise<StagingWriter>
  close(): Promise<void>
}
