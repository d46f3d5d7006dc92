/** What a process wrote, line by line, and how it ended, in words. */
import type {Readable} from 'node:stream'
import {LineSplitter} from '../exec/output.js'

const KEPT_LINES = 40

export class LastWords {
  private readonly kept: string[] = []

  listen(stream: Readable, onLine: (line: string) => void): void {
    const lines = new LineSplitter((line) => {
      this.kept.push(line)
      if (this.kept.length > KEPT_LINES) this.kept.shift()
      onLine(line)
    })
    stream.on('data', (data: Buffer) => {
      lines.push(data)
    })
    stream.once('end', () => {
      lines.end()
    })
  }

  /** The line that says why, if one does. */
  get reason(): string | null {
    const said = this.kept.filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v|^\s*\^+$/.test(line))
    const named = said.findLast((line) =>
      /^(FATAL ERROR: |(Uncaught )?[A-Z]\w*(Error|Exception)\b)/.test(line),
    )
    return named?.trim() ?? said.at(-1)?.trim() ?? null
  }
}

/** `exited with code 3`, `was killed by SIGSEGV`, `ran out of memory` */
export function howItEnded(
  code: number | null,
  signal: NodeJS.Signals | null,
  reason: string | null,
): string {
  if (reason !== null && /heap out of memory|heap limit/i.test(reason)) return 'ran out of memory'
  if (signal === 'SIGKILL') return 'was killed by SIGKILL (by the system, if memory was short)'
  return signal === null ? `exited with code ${code ?? '?'}` : `was killed by ${signal}`
}
