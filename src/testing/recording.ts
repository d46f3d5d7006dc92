/** Keeps what a processor says and sends. */
import type {Logger} from '../core/ports/index.js'
import type {FileInfo, ResultRecord} from '../processors/contract.js'
import type {ResultSink} from '../processors/results.js'

export interface LogLine {
  readonly level: keyof Logger
  readonly message: string
  readonly facts: Readonly<Record<string, unknown>>
}

export function recordingLogger(): {logger: Logger; lines: LogLine[]} {
  const lines: LogLine[] = []
  const at =
    (level: keyof Logger) =>
    (message: string, facts: LogLine['facts'] = {}) =>
      void lines.push({level, message, facts})
  return {logger: {debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error')}, lines}
}

export class RecordingSink implements ResultSink {
  readonly all: ResultRecord[] = []
  private readonly byPath = new Map<string, ResultRecord[]>()

  async produce(record: ResultRecord, {path}: FileInfo): Promise<void> {
    this.all.push(record)
    this.byPath.set(path, [...this.of(path), record])
  }

  async returned(): Promise<void> {
    // The host answers it.
  }

  of(path: string): readonly ResultRecord[] {
    return this.byPath.get(path) ?? []
  }
}
