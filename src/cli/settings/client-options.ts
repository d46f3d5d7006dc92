/**
 * `-X key=value`: what librdkafka and the Java client call their settings, mapped to streamtool's own or refused by
 * name with the reason. A map of values is expanded where it was given, so that `-X bootstrap.servers=…` on the
 * command line is as strong as `--brokers`, and one in a configuration file as weak as `brokers` there.
 */
import {StreamtoolError} from '../../core/errors.js'
import {nearest} from '../../core/nearest.js'
import {flagName} from './setting.js'

export interface MappedOption {
  /** The setting it stands for. */
  readonly name: string
  /** As that setting's own value would be written. */
  readonly value: string
}

type Meaning =
  | {
      readonly names: readonly string[]
      readonly to: (value: string) => readonly MappedOption[] | null
      /** For commands without that setting: the only value that is no contradiction there, and why. */
      readonly without?: {readonly only: string; readonly because: string}
    }
  /** These values are how streamtool works anyway; any other is refused because of the reason. */
  | {readonly only: readonly string[]; readonly because: string}
  | {readonly refused: string}

/**
 * @param has whether the command has a setting
 * @throws CLIENT_OPTION_UNSUPPORTED, naming the option and never its value
 */
export function mapClientOption(
  key: string,
  value: string,
  has: (setting: string) => boolean = () => true,
): readonly MappedOption[] {
  const meaning = MEANINGS[key.toLowerCase()]
  if (meaning === undefined) throw unknown(key)
  if ('refused' in meaning) throw unsupported(key, meaning.refused)
  if ('only' in meaning) {
    if (meaning.only.includes(value.toLowerCase())) return []
    throw unsupported(key, meaning.because)
  }
  const {without} = meaning
  if (without !== undefined && !meaning.names.some(has)) {
    if (value.toLowerCase() === without.only) return []
    throw unsupported(key, without.because)
  }
  const mapped = meaning.to(value)
  if (mapped === null) throw unsupported(key, 'its value has no equivalent')
  return mapped
}

/** True for options that say how to reach and trust a broker; all that is taken from an OpenMSIStream file. */
export function isConnectionOption(key: string): boolean {
  const meaning = MEANINGS[key.toLowerCase()]
  if (meaning === undefined) return false
  return 'names' in meaning
    ? meaning.names.every((name) => CONNECTION_SETTINGS.test(name))
    : /^(ssl|sasl|security)\./i.test(key)
}

const CONNECTION_SETTINGS = /^(brokers|clientId|tls|sasl)/

const as = (name: string): Meaning => ({names: [name], to: (value) => [{name, value}]})
const milliseconds = (name: string): Meaning => ({
  names: [name],
  to: (value) => [{name, value: `${value}ms`}],
})
/** @param table a word that maps to null says nothing that is not the default */
const words = (name: string, table: Readonly<Record<string, string | null>>): Meaning => ({
  names: [name],
  to: (value) => {
    const word = table[value.toLowerCase()]
    if (word === undefined) return null
    return word === null ? [] : [{name, value: word}]
  },
})
const refused = (why: string): Meaning => ({refused: why})

const KEYSTORE = 'Java key stores cannot be read; convert them to PEM for --tls-ca, --tls-cert and --tls-key'
const KERBEROS_AND_TOKENS = 'only the mechanisms plain, scram-sha-256 and scram-sha-512 are supported'
const OWN_BATCHING = 'streamtool batches by itself; --memory bounds what is in flight'
const OWN_COMMITS = 'streamtool commits by itself, once files are whole'

const COMPRESSION: Meaning = {
  names: ['compression'],
  to: (value) => [{name: 'compression', value: value.toLowerCase()}],
  without: {only: 'none', because: 'records are sent as they are'},
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  'bootstrap.servers': as('brokers'),
  'metadata.broker.list': as('brokers'),
  'client.id': as('clientId'),

  'security.protocol': words('tls', {
    plaintext: 'false',
    sasl_plaintext: 'false',
    ssl: 'true',
    sasl_ssl: 'true',
  }),
  'ssl.ca.location': as('tlsCa'),
  'ssl.ca.pem': as('tlsCa'),
  'ssl.certificate.location': as('tlsCert'),
  'ssl.certificate.pem': as('tlsCert'),
  'ssl.key.location': as('tlsKey'),
  'ssl.key.pem': as('tlsKey'),
  'ssl.key.password': as('tlsKeyPassword'),
  'ssl.truststore.certificates': as('tlsCa'),
  'ssl.keystore.certificate.chain': as('tlsCert'),
  'ssl.keystore.key': as('tlsKey'),
  'enable.ssl.certificate.verification': words('tlsVerify', {true: null, false: 'none'}),
  'ssl.endpoint.identification.algorithm': words('tlsVerify', {https: 'full', none: 'ca', '': 'ca'}),
  'ssl.truststore.location': refused(KEYSTORE),
  'ssl.truststore.password': refused(KEYSTORE),
  'ssl.truststore.type': {only: ['pem'], because: KEYSTORE},
  'ssl.keystore.location': refused(KEYSTORE),
  'ssl.keystore.password': refused(KEYSTORE),
  'ssl.keystore.type': {only: ['pem'], because: KEYSTORE},

  'sasl.mechanism': as('saslMechanism'),
  'sasl.mechanisms': as('saslMechanism'),
  'sasl.username': as('saslUsername'),
  'sasl.password': as('saslPassword'),
  'sasl.jaas.config': {names: ['saslUsername', 'saslPassword'], to: fromJaas},
  'sasl.oauthbearer.config': refused(KERBEROS_AND_TOKENS),
  'sasl.oauthbearer.token.endpoint.url': refused(KERBEROS_AND_TOKENS),
  'sasl.login.callback.handler.class': refused(KERBEROS_AND_TOKENS),
  'sasl.kerberos.service.name': refused(KERBEROS_AND_TOKENS),
  'sasl.kerberos.keytab': refused(KERBEROS_AND_TOKENS),

  'group.id': as('group'),
  'group.instance.id': as('instanceId'),
  'session.timeout.ms': milliseconds('sessionTimeout'),
  'delivery.timeout.ms': milliseconds('outageTolerance'),
  'message.timeout.ms': milliseconds('outageTolerance'),

  'auto.offset.reset': {
    only: ['earliest', 'smallest', 'beginning'],
    because: 'a new group starts at the earliest offset, so that no file is missed',
  },
  'enable.auto.commit': {only: ['false'], because: OWN_COMMITS},
  'auto.commit.interval.ms': refused(OWN_COMMITS),
  'isolation.level': {
    only: ['read_committed'],
    because: 'records of aborted transactions are never files',
  },
  'group.protocol': {only: ['classic'], because: 'only the classic group protocol is spoken'},
  'partition.assignment.strategy': refused('streamtool has an assignor of its own'),
  'heartbeat.interval.ms': refused('it follows from --session-timeout'),
  'max.poll.interval.ms': refused('heartbeats never depend on processing here'),
  'max.poll.records': refused(OWN_BATCHING),
  'fetch.min.bytes': refused(OWN_BATCHING),
  'fetch.max.bytes': refused(OWN_BATCHING),
  'max.partition.fetch.bytes': refused(OWN_BATCHING),

  acks: {only: ['all', '-1'], because: 'a chunk counts only when all in-sync replicas have it'},
  'request.required.acks': {
    only: ['all', '-1'],
    because: 'a chunk counts only when all in-sync replicas have it',
  },
  'enable.idempotence': {
    only: ['true', 'false'],
    because: 'a chunk that was sent twice is recognised by its upload id',
  },
  'linger.ms': refused(OWN_BATCHING),
  'batch.size': refused(OWN_BATCHING),
  'batch.num.messages': refused(OWN_BATCHING),
  'compression.type': COMPRESSION,
  'compression.codec': COMPRESSION,
  'max.request.size': refused('--chunk-size decides how large a record gets'),
  'message.max.bytes': refused('--chunk-size decides how large a record gets'),
  retries: refused('--outage-tolerance decides how long sending is tried'),
  'transactional.id': refused('uploads are not transactions; a file counts when all its chunks are there'),
}

/** `org.apache.kafka.common.security.plain.PlainLoginModule required username="…" password="…";` */
function fromJaas(config: string): readonly MappedOption[] | null {
  if (!/\.(Plain|Scram)LoginModule\s/.test(config)) return null
  const username = quoted(config, 'username')
  const password = quoted(config, 'password')
  if (username === null || password === null) return null
  return [
    {name: 'saslUsername', value: username},
    {name: 'saslPassword', value: password},
  ]
}

function quoted(config: string, key: string): string | null {
  const match = new RegExp(`\\b${key}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|'((?:[^'\\\\]|\\\\.)*)')`).exec(
    config,
  )
  return match === null ? null : (match[1] ?? match[2] ?? '').replace(/\\(.)/g, '$1')
}

function unknown(key: string): StreamtoolError {
  const meant = nearest(key, Object.keys(MEANINGS))
  return new StreamtoolError(
    'CLIENT_OPTION_UNSUPPORTED',
    `The client option ${printable(key)} is not known.`,
    {
      suggestions: [
        ...(meant === null ? [] : [`Did you mean ${meant}?`]),
        'docs/configuration.md lists the client options and what they stand for.',
      ],
    },
  )
}

function unsupported(key: string, why: string): StreamtoolError {
  return new StreamtoolError(
    'CLIENT_OPTION_UNSUPPORTED',
    `The client option ${printable(key)} is refused: ${why}.`,
    {
      suggestions: [`Leave ${printable(key)} out.`],
    },
  )
}

/** A key that does not look like one may be a secret that lost its `key=`. */
const printable = (key: string) => (/^[a-z][a-z._]{0,60}$/i.test(key) ? key : '(unnamed)')

/** For docs/configuration.md. */
export function clientOptionTable(): readonly {readonly option: string; readonly meaning: string}[] {
  return Object.entries(MEANINGS).map(([option, meaning]) => ({option, meaning: explain(meaning)}))
}

function explain(meaning: Meaning): string {
  if ('refused' in meaning) return `refused: ${meaning.refused}`
  if ('only' in meaning) return `only ${meaning.only.join(', ')}: ${meaning.because}`
  const flags = meaning.names.map(flagName).join(', ')
  const {without} = meaning
  return without === undefined ? flags : `${flags}; elsewhere only ${without.only}: ${without.because}`
}
