/** A text file of lines without a line end behind the last one, which other programs read while it grows. */
export interface TableFile {
  /** Null when it is not there. */
  read(): Promise<string | null>
  /** Of a large file only the end is read. Null when it is not there. */
  lastLine(): Promise<string | null>
  /** With the line end before it. */
  dropLastLine(): Promise<void>
  /** Whoever reads it sees the old or the new, never a part. */
  replace(text: string): Promise<void>
  append(text: string): Promise<void>
}
