/**
 * The terminal, shared by a live region at its bottom (progress) and lines that scroll above it (logs, events). The
 * renderer believes it owns a stream; when a line has to go out, its last frame is erased, the line written, and the
 * frame drawn again.
 *
 *     line                          <- print()
 *     ⠋ sending: 12 of 300 files    <- live
 */
const ESCAPE = '\u001b['
const CURSOR_TO_LINE_START = '\r'
const ERASE_BELOW = `${ESCAPE}0J`
const cursorUp = (lines: number) => (lines > 0 ? `${ESCAPE}${lines}A` : '')

/** What `eraseLines` of the renderer begins each frame with: erase this line, go up one, and so on. */
const ERASE_PREFIX = /^(?:\u001b\[(?:2K|1A|G))*/
const CURSOR_VISIBILITY = /^\u001b\[\?25[hl]$/

export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export class Screen {
  #frame = ''

  constructor(private readonly terminal: TextStream) {}

  /** For the renderer; anything else would be taken for a frame. */
  get live(): TextStream {
    const {columns, rows} = this.terminal
    return {
      write: (text: string) => this.#draw(text),
      isTTY: true,
      ...(columns === undefined ? {} : {columns}),
      ...(rows === undefined ? {} : {rows}),
    }
  }

  /** Writes a whole line above the live region, to the terminal or to another stream that ends up on it. */
  print(line: string, stream: TextStream = this.terminal): void {
    if (this.#frame === '') {
      stream.write(`${line}\n`)
      return
    }
    this.terminal.write(cursorUp(this.#frame.split('\n').length - 1) + CURSOR_TO_LINE_START + ERASE_BELOW)
    stream.write(`${line}\n`)
    this.terminal.write(this.#frame)
  }

  /** The region's last frame stays where it is and scrolls away with the rest. */
  settle(): void {
    this.#frame = ''
  }

  #draw(text: string): boolean {
    this.terminal.write(text)
    if (!CURSOR_VISIBILITY.test(text)) this.#frame = text.replace(ERASE_PREFIX, '')
    return true
  }
}
