/** What a program prints, within bounds: it may print without end. */
import {StringDecoder} from 'node:string_decoder'

/** Longer lines come in pieces. */
const LINE_CHARACTERS = 4096

/** Bytes to lines; a carriage return ends one too, as progress displays have it. */
export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8')
  private rest = ''

  constructor(private readonly onLine: (line: string) => void) {}

  push(data: Buffer): void {
    const lines = (this.rest + this.decoder.write(data)).split(/[\r\n]+/)
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.tell(line)
    for (; this.rest.length > LINE_CHARACTERS; this.rest = this.rest.slice(LINE_CHARACTERS)) {
      this.tell(this.rest.slice(0, LINE_CHARACTERS))
    }
  }

  end(): void {
    this.tell(this.rest + this.decoder.end())
    this.rest = ''
  }

  private tell(line: string): void {
    for (let at = 0; at < line.length; at += LINE_CHARACTERS) {
      const piece = line.slice(at, at + LINE_CHARACTERS).trimEnd()
      if (piece !== '') this.onLine(piece)
    }
  }
}

/** Passes the first lines on, counts the rest, and keeps the last few. */
export class BoundedLines {
  private count = 0
  private readonly last: string[] = []

  constructor(
    private readonly passed: {readonly lines: number; readonly kept: number},
    private readonly onLine: (line: string) => void,
  ) {}

  add(line: string): void {
    this.count += 1
    if (this.count <= this.passed.lines) this.onLine(line)
    this.last.push(line)
    if (this.last.length > this.passed.kept) this.last.shift()
  }

  get leftOut(): number {
    return Math.max(0, this.count - this.passed.lines)
  }

  get lastLines(): readonly string[] {
    return this.last
  }
}

/** The first bytes, up to a limit; the rest is read and dropped, so that the program is not held up. */
export class BoundedBytes {
  private readonly pieces: Buffer[] = []
  private bytes = 0
  isOver = false

  constructor(readonly limitBytes: number) {}

  add(data: Buffer): void {
    this.isOver ||= this.bytes + data.length > this.limitBytes
    if (this.isOver) this.pieces.length = 0
    else this.pieces.push(data)
    this.bytes += data.length
  }

  get content(): Buffer {
    return Buffer.concat(this.pieces)
  }
}
