import {Refusal} from '../protocol/errors.js'

/**
 * The topic settings that can be given here. Only `max.message.bytes` does something; of the others the values
 * are accepted that describe what happens anyway, or that allow it.
 */
const SETTINGS: ReadonlyMap<string, {readonly initial: string; readonly accepts: RegExp}> = new Map([
  ['cleanup.policy', {initial: 'delete', accepts: /^delete$/}],
  ['compression.type', {initial: 'producer', accepts: /^producer$/}],
  ['max.message.bytes', {initial: '1048588', accepts: /^\d{1,9}$/}],
  ['message.timestamp.type', {initial: 'CreateTime', accepts: /^CreateTime$/}],
  ['min.insync.replicas', {initial: '1', accepts: /^1$/}],
  ['retention.bytes', {initial: '-1', accepts: /^(-1|\d{1,18})$/}],
  ['retention.ms', {initial: '-1', accepts: /^(-1|\d{1,18})$/}],
  ['segment.bytes', {initial: '1073741824', accepts: /^\d{1,10}$/}],
])

export type TopicConfig = Readonly<Record<string, string>>

/** @throws Refusal INVALID_CONFIG */
export function checkTopicConfig(
  given: readonly {readonly name: string; readonly value: string | null}[],
): TopicConfig {
  const config: Record<string, string> = {}
  for (const {name, value} of given) {
    const setting = SETTINGS.get(name)
    if (setting === undefined) throw new Refusal('INVALID_CONFIG', `the sandbox has no topic setting ${name}`)
    if (value === null || !setting.accepts.test(value)) {
      throw new Refusal('INVALID_CONFIG', `the sandbox does not support ${name}=${value}`)
    }
    config[name] = value
  }
  return config
}

/** @returns every setting, given or not, in the order of their names */
export function effectiveConfig(config: TopicConfig): {name: string; value: string; isDefault: boolean}[] {
  return [...SETTINGS].map(([name, {initial}]) => {
    return {name, value: config[name] ?? initial, isDefault: config[name] === undefined}
  })
}

/** The largest record batch that the topic takes, its header included. */
export function maxMessageBytes(config: TopicConfig): number {
  return Number(config['max.message.bytes'] ?? SETTINGS.get('max.message.bytes')?.initial)
}
