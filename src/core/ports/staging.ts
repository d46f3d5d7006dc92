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

export interface StagingWriter {
  /** The caller awaits each call before the next, and leaves the buffer alone until then. */
  write(data: Buffer): Promise<void>
  /** Once, when the content is whole. */
  seal(): Promise<StagedFile>
  discard(): Promise<void>
}

export interface FileStaging {
  open(file: IncomingFile, signal: AbortSignal): Promise<StagingWriter>
  close(): Promise<void>
}
