/** `config explain`: each setting with its value, where that came from, and what it overrode. Secrets stay masked. */
import type {Candidate} from './layers.js'
import {readValue} from './layers.js'
import {writeDuration, writeSize} from './quantities.js'
import {isPemText} from './schema.js'
import {keyName, MASK, type Setting, type Settings} from './setting.js'

export interface ExplainedSetting {
  readonly setting: string
  /** As one would write it; null when nothing was said. */
  readonly value: string | null
  readonly source: string | null
  readonly overrode: readonly {readonly value: string; readonly source: string}[]
}

export function explainSettings(
  settings: Settings,
  candidates: ReadonlyMap<string, readonly Candidate[]>,
): ExplainedSetting[] {
  return Object.entries(settings).map(([name, setting]) => {
    const said = (candidates.get(name) ?? []).map((candidate) => ({
      value: shown(setting, candidate),
      source: candidate.source.name,
    }))
    const [strongest, ...others] = said
    return {
      setting: keyName(name),
      value: strongest?.value ?? null,
      source: strongest?.source ?? null,
      overrode: others,
    }
  })
}

/** An overridden value may be wrong without harm; then it is shown as not understood rather than as it is. */
function shown(setting: Setting, candidate: Candidate): string {
  try {
    return writtenOut(setting, readValue(setting, candidate))
  } catch {
    return '(not understood)'
  }
}

function writtenOut({kind}: Setting, value: unknown): string {
  if (kind === 'size') return writeSize(Number(value))
  if (kind === 'duration') return writeDuration(Number(value))
  if (kind === 'pairs') return writePairs(value as Readonly<Record<string, string>>)
  if (kind === 'pem' && isPemText(String(value))) return '(PEM text)'
  return Array.isArray(value) ? value.join(',') : String(value)
}

const writePairs = (pairs: Readonly<Record<string, string>>) =>
  Object.entries(pairs)
    .map(([key, value]) => `${key}=${SECRET_OPTION.test(key) ? MASK : value}`)
    .join(', ')

/** Client options that hold a secret, under any name that librdkafka or the Java client has for them. */
const SECRET_OPTION = /password|secret|token|jaas|key\.pem|keystore\.key|credential/i
