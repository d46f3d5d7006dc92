import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import {crc32c} from '../log/crc32c.js'

/**
 * Lines of JSON, each behind the CRC-32C of its text, appended and never changed:
 * ```
 * 1c291ca3 {"group":"g","topic":"t","partition":0,"offset":7,"metadata":""}
 * ```
 * An appended line survives the death of the process; a line that was cut off by it ends the journal.
 */
export class Journal {
  readonly #path: string
  #fd: number
  #byteLength: number

  private constructor(path: string, byteLength: number) {
    this.#path = path
    this.#fd = openForWriting(path)
    this.#byteLength = byteLength
  }

  /** @returns the journal, and what is in it: what each line holds is for the caller to check */
  static open(path: string): {journal: Journal; entries: unknown[]; tornBytes: number} {
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    const {entries, intactBytes} = readEntries(bytes)
    const journal = new Journal(path, intactBytes)
    ftruncateSync(journal.#fd, intactBytes)
    return {journal, entries, tornBytes: bytes.length - intactBytes}
  }

  get byteLength(): number {
    return this.#byteLength
  }

  /** What a failed append (a full disk) has left behind the end, the next one overwrites. */
  append(entries: readonly unknown[]): void {
    const lines = Buffer.from(entries.map(asLine).join(''))
    writeWhole(this.#fd, lines, this.#byteLength)
    this.#byteLength += lines.length
  }

  /** Puts these entries in the place of all earlier ones, in one step. */
  replace(entries: readonly unknown[]): void {
    const next = `${this.#path}.next`
    const lines = Buffer.from(entries.map(asLine).join(''))
    const fd = openForWriting(next)
    ftruncateSync(fd)
    writeWhole(fd, lines, 0)
    fsyncSync(fd)
    renameSync(next, this.#path)
    closeSync(this.#fd)
    this.#fd = fd
    this.#byteLength = lines.length
  }

  close(): void {
    fsyncSync(this.#fd)
    closeSync(this.#fd)
  }
}

function openForWriting(path: string): number {
  return openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600)
}

function writeWhole(fd: number, bytes: Buffer, position: number): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written)
  }
}

const CRC_DIGITS = 8

function asLine(entry: unknown): string {
  const text = JSON.stringify(entry)
  return `${crcOf(Buffer.from(text))} ${text}\n`
}

function readEntries(bytes: Buffer): {entries: unknown[]; intactBytes: number} {
  const entries: unknown[] = []
  let start = 0
  for (;;) {
    const end = bytes.indexOf('\n', start)
    const text = bytes.subarray(start + CRC_DIGITS + 1, end)
    const isIntact = end >= 0 && crcOf(text) === bytes.toString('latin1', start, start + CRC_DIGITS)
    if (!isIntact) return {entries, intactBytes: start}
    entries.push(JSON.parse(text.toString('utf8')))
    start = end + 1
  }
}

function crcOf(text: Buffer): string {
  return crc32c(text).toString(16).padStart(CRC_DIGITS, '0')
}
