/**
 * Raw client options of the Kafka binder: `configuration.*`, `consumerProperties.*`, `producerProperties.*`. What says
 * how to reach the brokers is mapped as `-X` is; what only tunes the Java client has no meaning here and is left out.
 */
import {mapClientOption, type MappedOption} from '../settings/client-options.js'

export type KafkaOption = {readonly mapped: readonly MappedOption[]} | {readonly leftOut: string}

const SPEED = 'it tunes the Java client'
const TUNING =
  /^(fetch|max\.poll|max\.partition|linger|batch|buffer|send\.buffer|receive\.buffer|metadata|reconnect|retry|retries|request\.timeout|default\.api|connections|max\.block|max\.in\.flight|max\.request|partitioner|socket|client\.rack|client\.dns|metric|metrics|check\.crcs|heartbeat|auto\.commit|exclude\.internal|allow\.auto|partition\.assignment|queue|log|statistics|security\.providers)\b/
const STRONGER: Readonly<Record<string, string>> = {
  acks: 'records are always acknowledged by all in-sync replicas',
  'enable.idempotence': 'what is read again is told by its offset',
  'isolation.level': 'records of aborted transactions are never read',
  'enable.auto.commit': 'offsets are committed after the output has the record',
  'group.id': 'the group is that of the binding',
}
const BYTES = /\.(ByteArray|String|Bytes|ByteBuffer)(De)?[Ss]erializer$/

/** Whose client it is said of. */
export type Side = 'consumer' | 'producer' | 'both'

/** @throws CLIENT_OPTION_UNSUPPORTED */
export function readKafkaOption(key: string, value: string, side: Side): KafkaOption {
  const why = STRONGER[key]
  if (why !== undefined) return {leftOut: why}
  if (TUNING.test(key)) return {leftOut: SPEED}
  if (key === 'compression.type' && side === 'consumer') return {leftOut: 'it is for the client that writes'}
  if (/^(key|value)\.(de)?serializer$/.test(key) && BYTES.test(value))
    return {leftOut: 'records are relayed as bytes'}
  if (key === 'auto.offset.reset') return {mapped: [{name: 'startOffset', value: value.toLowerCase()}]}
  if (key === 'sasl.mechanism') return {mapped: [{name: 'saslMechanism', value: value.toLowerCase()}]}
  return {mapped: mapClientOption(key, value)}
}

const LOGIN_MODULES: Readonly<Record<string, string>> = {
  'org.apache.kafka.common.security.plain.plainloginmodule': 'plain',
  'org.apache.kafka.common.security.scram.scramloginmodule': 'scram-sha-512',
}

/** `kafka.binder.jaas.loginModule`; null when it is one that is not supported, such as Kerberos. */
export const mechanismOfLoginModule = (name: string): string | null =>
  LOGIN_MODULES[name.toLowerCase()] ?? null
