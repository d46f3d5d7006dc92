import type {LogFacts, Logger, StepObserver} from '../../src/core/ports/index.js'

export const noSteps: StepObserver = {reached: () => undefined}

export interface RecordedLog extends Logger {
  readonly entries: {level: keyof Logger; message: string; facts: LogFacts}[]
}

/** Keeps what is logged. */
export function recordedLog(): RecordedLog {
  const entries: RecordedLog['entries'] = []
  const at =
    (level: keyof Logger) =>
    (message: string, facts: LogFacts = {}) =>
      void entries.push({level, message, facts})
  return {entries, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error')}
}
