import type {Logger} from '../../src/core/ports/index.js'
import type {KafkaSettings} from '../../src/adapters/kafka/settings.js'

/** Impatient enough for a test. */
export const settingsFor = (
  brokers: readonly string[],
  more: Partial<KafkaSettings> = {},
): KafkaSettings => ({
  brokers,
  clientId: 'test',
  connectTimeoutMs: 2_000,
  firstConnectionMs: 2_000,
  outageToleranceMs: 5_000,
  requestTimeoutMs: 2_000,
  ...more,
})

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly facts: unknown
}

/** Keeps what is logged, for looking at. */
export function keepingLogger(): Logger & {readonly lines: readonly LogLine[]} {
  const lines: LogLine[] = []
  const at = (level: LogLine['level']) => (message: string, facts?: unknown) => {
    lines.push({level, message, facts})
  }
  return {lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error')}
}
