/** What each property of Spring Cloud Stream and its Kafka binder means here. One line each; docs/spring.md has them all. */
import type {KeyExpression} from '../../core/relay/index.js'

export interface SettingValue {
  /** Of a setting of `passthrough`. */
  readonly name: string
  readonly raw: string
}

export type Meaning =
  /** Another way to say these settings; null when that value cannot be said here. */
  | {readonly says: (value: string) => readonly SettingValue[] | null; readonly because?: string}
  /** Only these values are how it works here anyway; any other is refused because of the reason. */
  | {readonly only: readonly string[]; readonly because: string}
  | {readonly refused: string}
  /** Of no effect, and nothing is lost by that. */
  | {readonly harmless: true}
  /** A client option of Kafka's. */
  | {readonly option: 'consumer' | 'producer' | 'both'}
  /** Looked at elsewhere (bindings, brokers, HTTP). */
  | {readonly elsewhere: true}

const says = (name: string): Meaning => ({says: (raw) => [{name, raw}]})
const saysMs = (name: string): Meaning => ({
  says: (value) => (/^\d+$/.test(value) ? [{name, raw: `${value}ms`}] : [{name, raw: value}]),
})
const only = (values: readonly string[], because: string): Meaning => ({only: values, because})
const refused = (why: string): Meaning => ({refused: why})
const harmless: Meaning = {harmless: true}
const elsewhere: Meaning = {elsewhere: true}

const BEANS = 'there are no Java beans here'
const EMBEDDED = 'headers within the value are a format of Kafka before 0.11'

const CONSUMER: Readonly<Record<string, Meaning>> = {
  'max-attempts': says('maxAttempts'),
  'back-off-initial-interval': saysMs('backOff'),
  'back-off-max-interval': saysMs('backOffMax'),
  'back-off-multiplier': says('backOffMultiplier'),
  'default-retryable': only(['true'], 'every failure is retried; maxAttempts=1 retries none'),
  'retryable-exceptions.*': refused('there are no Java exceptions here'),
  concurrency: says('concurrency'),
  partitioned: harmless,
  'instance-count': harmless,
  'instance-index': harmless,
  'instance-index-list': harmless,
  'header-mode': only(['headers', 'none'], EMBEDDED),
  'use-native-decoding': harmless,
  multiplex: harmless,
  'batch-mode': only(['false'], 'records are transformed one by one'),
  'auto-startup': only(['true'], 'a binding can be stopped when it runs, through /actuator/bindings'),
  'retry-template-name': refused(BEANS),
}

const KAFKA_CONSUMER: Readonly<Record<string, Meaning>> = {
  'enable-dlq': {
    says: (raw) => (raw.toLowerCase() === 'true' ? [{name: 'onFailure', raw: 'dead-letter'}] : []),
  },
  'dlq-name': elsewhere,
  'dlq-partitions': says('deadLetterPartitions'),
  'dlq-producer-properties.*': refused('the dead-letter topic is written to as the output is'),
  'start-offset': {says: (raw) => [{name: 'startOffset', raw: raw.toLowerCase()}]},
  'reset-offsets': only(['false'], 'use --from-beginning, once'),
  'auto-rebalance-enabled': only(['true'], 'partitions are always shared out by the group'),
  'ack-mode': only(
    ['record', 'batch', 'time', 'count', 'count-time', 'counttime', 'count_time'],
    'offsets are committed here once the output has the records',
  ),
  'ack-each-record': harmless,
  'auto-commit-offset': only(['true'], 'offsets are committed here once the output has the records'),
  'auto-commit-on-error': harmless,
  'destination-is-pattern': only(['false'], 'topics are named'),
  'standard-headers': harmless,
  'converter-bean-name': refused(BEANS),
  'header-mapper-bean-name': refused(BEANS),
  'dlq-producer-factory-name': refused(BEANS),
  'common-error-handler-bean-name': refused(BEANS),
  'transaction-manager': refused(
    'read-process-write transactions are not supported; records may come twice after a crash',
  ),
  'tx-commit-recovered': harmless,
  'poll-timeout': harmless,
  'idle-event-interval': harmless,
  'recovery-interval': harmless,
  'trusted-packages': harmless,
  'reactive-auto-commit': harmless,
  'reactive-at-most-once': only(['false'], 'records are never lost for speed'),
  'topic.replication-factor': says('replicationFactor'),
  'topic.properties.*': refused('topics are made with the settings of the brokers'),
  'topic.replicas-assignment.*': refused('topics are made with the settings of the brokers'),
  'configuration.*': {option: 'consumer'},
}

const PRODUCER: Readonly<Record<string, Meaning>> = {
  'required-groups': says('requiredGroups'),
  'partition-count': says('partitions'),
  'partition-key-expression': {
    says: (value) => {
      const expression = keyExpression(value)
      return expression === null ? null : [{name: 'partitionBy', raw: partitionByOf(expression)}]
    },
    because: "only payload, key and headers['name'] are understood",
  },
  'partition-selector-expression': refused(
    'partitions are chosen by hash, as Spring Cloud Stream does by default',
  ),
  'partition-key-extractor-name': refused(BEANS),
  'partition-selector-name': refused(BEANS),
  'header-mode': {
    says: (value) => {
      if (value.toLowerCase() === 'headers') return []
      return value.toLowerCase() === 'none' ? [{name: 'headers', raw: 'none'}] : null
    },
    because: EMBEDDED,
  },
  'use-native-encoding': harmless,
  'error-channel-enabled': harmless,
  'dynamic-partition-updates-enabled': harmless,
  'poller.*': harmless,
  'auto-startup': only(['true'], 'a binding can be stopped when it runs, through /actuator/bindings'),
}

const KAFKA_PRODUCER: Readonly<Record<string, Meaning>> = {
  sync: harmless,
  'send-timeout-expression': harmless,
  'buffer-size': harmless,
  'batch-timeout': harmless,
  'compression-type': {says: (raw) => [{name: 'compression', raw: raw.toLowerCase()}]},
  'close-timeout': harmless,
  'record-metadata-channel': refused('there are no channels here'),
  'message-key-expression': only(
    [
      "headers['kafka_receivedmessagekey']",
      "headers['kafka_receivedkey']",
      'headers[kafka_receivedmessagekey]',
      'headers[kafka_receivedkey]',
    ],
    'the key of the record is kept',
  ),
  'header-patterns': only(['*'], 'all headers go along, or with headerMode=none no header'),
  'allow-non-transactional': harmless,
  'use-topic-header': only(['false'], 'all records go to the output'),
  'transaction-id-prefix': refused(
    'read-process-write transactions are not supported; records may come twice after a crash',
  ),
  'topic.replication-factor': says('replicationFactor'),
  'topic.properties.*': refused('topics are made with the settings of the brokers'),
  'topic.replicas-assignment.*': refused('topics are made with the settings of the brokers'),
  'configuration.*': {option: 'producer'},
}

const BINDER: Readonly<Record<string, Meaning>> = {
  brokers: elsewhere,
  'default-broker-port': elsewhere,
  'zk-nodes': harmless,
  'default-zk-port': harmless,
  'zk-connection-timeout': harmless,
  'zk-session-timeout': harmless,
  'configuration.*': {option: 'both'},
  'consumer-properties.*': {option: 'consumer'},
  'producer-properties.*': {option: 'producer'},
  'jaas.login-module': elsewhere,
  'jaas.control-flag': harmless,
  'jaas.options.username': says('saslUsername'),
  'jaas.options.password': says('saslPassword'),
  'jaas.options.*': refused('only username and password are understood'),
  'auto-create-topics': says('createTopics'),
  'auto-add-partitions': only(['false'], 'partitions are never added to a topic: keys would change theirs'),
  'auto-alter-topics': only(['false'], 'topics that are there are left as they are'),
  'min-partition-count': elsewhere,
  'replication-factor': {says: (raw) => (raw === '-1' ? [] : [{name: 'replicationFactor', raw}])},
  'required-acks': harmless,
  'health-timeout': harmless,
  'health-indicator.*': harmless,
  'consider-down-when-any-partition-has-no-leader': harmless,
  'authorization-exception-retry-interval': harmless,
  'certificate-store-directory': refused(
    'Java key stores cannot be read; name PEM files in configuration.ssl.*',
  ),
  'header-mapper-bean-name': refused(BEANS),
  headers: harmless,
  'fetch-size': harmless,
  'max-wait': harmless,
  'queue-size': harmless,
  'socket-buffer-size': harmless,
  'offset-update-count': harmless,
  'offset-update-time-window': harmless,
  'offset-update-shutdown-timeout': harmless,
  'metrics.*': harmless,
  'enable-observation': harmless,
  'transaction.*': refused(
    'read-process-write transactions are not supported; records may come twice after a crash',
  ),
}

const STREAM: Readonly<Record<string, Meaning>> = {
  'instance-count': harmless,
  'instance-index': harmless,
  'instance-index-list': harmless,
  'default-binder': only(['kafka'], 'there is only the Kafka binder'),
  'binders.*': refused('there is one binder; name its brokers with spring.cloud.stream.kafka.binder.brokers'),
  'function.definition': elsewhere,
  'function.bindings.*': elsewhere,
  'function.batch-mode': only(['false'], 'records are transformed one by one'),
  'function.autodetect': harmless,
  'function.*': harmless,
  'input-bindings': harmless,
  'output-bindings': harmless,
  'dynamic-destinations': harmless,
  'dynamic-destination-cache-size': harmless,
  'binding-retry-interval': harmless,
  'sendto.destination': refused('all records go to the output'),
  'override-cloud-connectors': harmless,
  source: harmless,
  'pollable-source': harmless,
  'poller.*': harmless,
  'schema.*': refused('records are relayed as bytes'),
  'rabbit.*': harmless,
  'kafka.streams.*': harmless,
}

const SPRING_KAFKA: Readonly<Record<string, Meaning>> = {
  'bootstrap-servers': elsewhere,
  'security.protocol': elsewhere,
  'client-id': says('clientId'),
  'properties.*': {option: 'both'},
  'consumer.properties.*': {option: 'consumer'},
  'producer.properties.*': {option: 'producer'},
  'ssl.*': refused('name PEM files in spring.cloud.stream.kafka.binder.configuration.ssl.*'),
  'jaas.*': refused('use spring.cloud.stream.kafka.binder.configuration.sasl.jaas.config'),
}

/** The binding a property is of; null: of the application. `default` holds for every binding. */
export type Role = 'in' | 'out' | null

export interface KnownProperty {
  /** As documentation writes it; `{}` is the name of a binding. */
  readonly name: string
  readonly role: Role
  readonly meaning: Meaning
}

const below = (prefix: string, role: Role, table: Readonly<Record<string, Meaning>>): KnownProperty[] =>
  Object.entries(table).map(([name, meaning]) => ({name: `${prefix}.${name}`, role, meaning}))

const ofBinding = (prefix: string, kafka: string): KnownProperty[] => [
  ...below(prefix, null, {
    destination: elsewhere,
    group: elsewhere,
    'content-type': elsewhere,
    binder: only(['kafka'], 'there is only the Kafka binder'),
    'error-handler-definition': refused(BEANS),
  }),
  ...below(`${prefix}.consumer`, 'in', CONSUMER),
  ...below(`${prefix}.producer`, 'out', PRODUCER),
  ...below(`${kafka}.consumer`, 'in', KAFKA_CONSUMER),
  ...below(`${kafka}.producer`, 'out', KAFKA_PRODUCER),
]

/** The more specific of a family first: the first that matches counts. */
export const KNOWN_PROPERTIES: readonly KnownProperty[] = [
  ...ofBinding('spring.cloud.stream.bindings.{}', 'spring.cloud.stream.kafka.bindings.{}'),
  ...ofBinding('spring.cloud.stream.default', 'spring.cloud.stream.kafka.default'),
  ...below('spring.cloud.stream.kafka.binder', null, BINDER),
  ...below('spring.cloud.stream', null, STREAM),
  {name: 'spring.cloud.function.definition', role: null, meaning: elsewhere},
  ...below('spring.kafka', null, SPRING_KAFKA),
]

/** `payload`, `key`, `headers['name']`, `headers.name`, and what the binder calls the key and partition of a record. */
export function keyExpression(written: string): KeyExpression | null {
  const expression = written.trim()
  if (expression === 'payload') return {of: 'payload'}
  if (expression === 'key') return {of: 'key'}
  const name =
    /^headers\[\s*(['"]?)([\w.-]+)\1\s*\]$/.exec(expression)?.[2] ??
    /^headers\.([\w-]+)$/.exec(expression)?.[1]
  if (name === undefined) return null
  if (name === 'kafka_receivedMessageKey' || name === 'kafka_receivedKey') return {of: 'key'}
  if (name === 'kafka_receivedPartitionId' || name === 'kafka_receivedPartition') return {of: 'partition'}
  return {of: 'header', name}
}

/** As `--partition-by` has it. */
function partitionByOf(expression: KeyExpression): string {
  if (expression.of === 'header') return `header:${expression.name}`
  return expression.of === 'key' ? 'key-hash' : expression.of
}
