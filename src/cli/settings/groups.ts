/** The flag groups. Commands put their settings together from these; catalog.ts says which has which. */
import {choice, duration, integer, list, pairs, path, pem, secret, size, text, toggle} from './setting.js'

/** Every command has these. */
export const outputSettings = {
  config: path({
    group: 'OUTPUT',
    placeholder: 'FILE',
    summary: 'Configuration file to use instead of searching for one',
  }),
  json: toggle({
    group: 'OUTPUT',
    summary: 'Print one JSON object on stdout at the end',
    default: 'false',
    common: true,
  }),
  events: toggle({
    group: 'OUTPUT',
    summary: 'Print one JSON object a line on stdout as things happen',
    default: 'false',
    common: true,
  }),
  progress: choice(['auto', 'plain', 'none'], {
    group: 'OUTPUT',
    summary: 'Progress on stderr: drawn on a terminal, else a line every few seconds',
    default: 'auto',
    common: true,
  }),
  logLevel: choice(['debug', 'info', 'warn', 'error'], {
    group: 'OUTPUT',
    summary: 'What is worth saying on stderr',
    default: 'info',
    common: true,
  }),
  logFormat: choice(['text', 'json'], {
    group: 'OUTPUT',
    summary: 'How it is said on stderr',
    default: 'text',
    common: true,
  }),
}

export const topicSettings = {
  topic: text({
    group: 'KAFKA',
    placeholder: 'TOPIC',
    summary: 'Kafka topic',
    required: true,
    example: 'instrument-files',
    common: true,
  }),
}

export const kafkaSettings = {
  brokers: list({
    group: 'KAFKA',
    placeholder: 'HOST:PORT',
    summary: 'Kafka brokers to begin with, one or several',
    required: true,
    example: 'kafka-1:9092,kafka-2:9092',
    common: true,
  }),
  clientId: text({
    group: 'KAFKA',
    placeholder: 'ID',
    summary: 'Name that the brokers log for this client',
    default: 'streamtool',
    common: true,
  }),
  outageTolerance: duration({
    group: 'KAFKA',
    summary: 'How long an outage of the brokers is waited out',
    default: '5m',
    common: true,
  }),
  clientOption: pairs({
    group: 'KAFKA',
    char: 'X',
    summary: 'Setting under the name that librdkafka or the Java client has for it',
    common: true,
  }),
}

export const securitySettings = {
  tls: toggle({
    group: 'SECURITY',
    summary: 'Speak TLS to the brokers; implied by the other --tls flags',
    common: true,
  }),
  tlsCa: pem({
    group: 'SECURITY',
    summary: "Certificate authorities to trust, PEM (else Node's own)",
    common: true,
  }),
  tlsCert: pem({group: 'SECURITY', summary: 'Client certificate, PEM', common: true}),
  tlsKey: pem({group: 'SECURITY', summary: 'Key of the client certificate, PEM', common: true}),
  tlsKeyPassword: secret({group: 'SECURITY', summary: 'Password of the key', common: true}),
  tlsVerify: choice(['full', 'ca', 'none'], {
    group: 'SECURITY',
    summary: "Check the broker's certificate and host name, the certificate only, or nothing",
    default: 'full',
    common: true,
  }),
  saslMechanism: choice(['plain', 'scram-sha-256', 'scram-sha-512'], {
    group: 'SECURITY',
    placeholder: 'MECHANISM',
    summary: 'plain, scram-sha-256 or scram-sha-512; plain when only a user name is given',
    common: true,
  }),
  saslUsername: text({group: 'SECURITY', placeholder: 'NAME', summary: 'User name', common: true}),
  saslPassword: secret({
    group: 'SECURITY',
    summary: 'Password; STREAMTOOL_SASL_PASSWORD keeps it out of the process list',
    common: true,
  }),
}

/** Commands that run for long and must stop well. */
export const stoppingSettings = {
  shutdownTimeout: duration({
    group: 'RUNNING',
    summary: 'How long a stop may take, after SIGTERM or SIGINT, until it is forced',
    default: '30s',
    common: true,
  }),
}

export const onceSettings = {
  once: toggle({
    group: 'RUNNING',
    summary: 'Stop at the end that the topic had at the start',
    default: 'false',
    common: true,
  }),
}

export const groupSettings = {
  group: text({
    group: 'CONSUMER GROUP',
    placeholder: 'ID',
    summary: 'Consumer group (else one that belongs to the destination and is kept with it)',
  }),
  instanceId: text({
    group: 'CONSUMER GROUP',
    placeholder: 'ID',
    summary:
      'Stable name of this member; its partitions wait for it through a restart (else from the host name)',
  }),
  assignment: choice(['spread', 'together'], {
    group: 'CONSUMER GROUP',
    summary:
      "Share the partitions out, or keep them together with one member while the others stand by: for topics that have a file's chunks in several partitions",
    default: 'spread',
    common: true,
  }),
  sessionTimeout: duration({
    group: 'CONSUMER GROUP',
    summary: 'How long the group waits for a silent member',
    default: '45s',
    common: true,
  }),
  fromBeginning: toggle({
    group: 'CONSUMER GROUP',
    summary: 'Set the group back to the start of the topic first; refused while it has members',
    default: 'false',
  }),
  stateDir: path({
    group: 'CONSUMER GROUP',
    placeholder: 'DIR',
    summary: 'Where this host keeps which instance ids are in use',
    common: true,
  }),
}

export const reassemblySettings = {
  incompleteAfter: duration({
    group: 'FILES',
    summary: 'Age at which a file with chunks missing counts as incomplete rather than open',
    default: '10m',
    common: true,
  }),
  memory: size({
    group: 'FILES',
    summary: 'Bound of all buffers together; beyond it chunks wait on disk',
    default: '96MiB',
    common: true,
  }),
  concurrency: integer({
    group: 'FILES',
    summary: 'Finished files that are made durable side by side',
    default: '32',
    min: 1,
  }),
}

/** Which files. */
export const patternSettings = {
  include: list({
    group: 'FILES',
    placeholder: 'GLOB',
    summary: 'Only files whose path matches, or whose name when the pattern has no slash',
  }),
  exclude: list({group: 'FILES', placeholder: 'GLOB', summary: 'No files whose path or name matches'}),
}

export const generationSettings = {
  generations: choice(['newest', 'all'], {
    group: 'FILES',
    summary: 'Deliver only the newest content of each path, or every one, in order',
    default: 'newest',
  }),
}

export const deadLetterSettings = {
  deadLetterTopic: text({
    group: 'GIVING UP',
    placeholder: 'TOPIC',
    summary: 'Records that are no chunks, and files that are given up, go to this topic',
  }),
  parkAfter: duration({
    group: 'GIVING UP',
    summary: 'Give up a file whose chunks have been missing for so long; needs --dead-letter-topic',
  }),
  onFailure: choice(['hold', 'dead-letter', 'stop'], {
    group: 'GIVING UP',
    summary: 'A file that cannot be delivered is tried again at the next start, or given up, or ends the run',
    default: 'hold',
  }),
  retryHeld: duration({
    group: 'GIVING UP',
    summary: 'Try a file that could not be delivered again after so long, not only at the next start',
  }),
}

export const inspectingSettings = {
  verify: toggle({
    group: 'INSPECTING',
    summary: 'Read files again whose chunks are not in order, so that the content of each is checked',
    default: 'false',
  }),
  check: toggle({
    group: 'INSPECTING',
    summary: 'Exit with 5 when a file is corrupt, with 4 when one is incomplete',
    default: 'false',
  }),
  group: text({
    group: 'INSPECTING',
    placeholder: 'ID',
    summary: 'Also tell where this consumer group stands; it is not joined',
  }),
}

export const retrySettings = {
  from: text({
    group: 'KAFKA',
    placeholder: 'TOPIC',
    summary: 'The dead-letter topic',
    required: true,
    example: 'instrument-files-dead',
  }),
  topic: text({
    group: 'KAFKA',
    placeholder: 'TOPIC',
    summary: 'Only what was given up on this topic',
    common: true,
  }),
  to: text({
    group: 'KAFKA',
    placeholder: 'TOPIC',
    summary: 'Where records of a stream processor go, instead of the topic they came from',
  }),
  group: text({
    group: 'CONSUMER GROUP',
    placeholder: 'ID',
    summary: 'Keeps what is done on the dead-letter topic (else one that belongs to the output directory)',
  }),
}

export const directorySettings = {
  output: path({
    group: 'FILES',
    placeholder: 'DIR',
    summary: 'Directory to write the files to; made when missing',
    required: true,
    example: './received',
  }),
  onConflict: choice(['overwrite', 'keep', 'rename', 'fail'], {
    group: 'FILES',
    summary:
      'A file that is there and that streamtool did not write, or that was changed since: replace it, keep it instead of the delivered one, deliver beside it as `name (2)`, or hold the delivered one',
    default: 'overwrite',
  }),
}

/** Without it records go back to their topic. */
export const retryOutput = path({
  group: 'FILES',
  placeholder: 'DIR',
  summary: 'Directory to write files to that were given up (else records are sent back to their topic)',
})

export const sendingSettings = {
  chunkSize: size({group: 'FILES', summary: 'Bytes of a file in one record', default: '512KiB'}),
  pathPrefix: text({
    group: 'FILES',
    placeholder: 'PREFIX',
    summary: 'Put this directory before every path on the topic',
  }),
  name: text({
    group: 'FILES',
    placeholder: 'NAME',
    summary: 'Path on the topic for standard input (-)',
  }),
  metadata: pairs({group: 'FILES', summary: 'Travels with every file as a record header'}),
  wireFormat: choice(['openmsistream', 'openmsistream-9'], {
    group: 'FILES',
    summary: 'Chunk layout; openmsistream-9 for consumers from before April 2026',
    default: 'openmsistream',
  }),
  memory: size({
    group: 'FILES',
    summary: 'Bytes that are read and not yet acknowledged',
    default: '16MiB',
    common: true,
  }),
}

export const sandboxSettings = {
  dir: path({
    group: 'SANDBOX',
    placeholder: 'DIR',
    summary: 'Keep the data here (else in a temporary directory that is removed at the end)',
  }),
  kafkaPort: integer({
    group: 'SANDBOX',
    placeholder: 'PORT',
    max: 65_535,
    summary: 'Port of the broker, 0 for any free one (default: 9092; with a command after --, any free one)',
  }),
  s3Port: integer({
    group: 'SANDBOX',
    placeholder: 'PORT',
    max: 65_535,
    summary:
      'Port of the bucket store, 0 for any free one (default: 9000; with a command after --, or with --kafka-port 0, any free one)',
  }),
  bucket: text({
    group: 'SANDBOX',
    placeholder: 'BUCKET',
    summary: 'Bucket that is there from the beginning',
    default: 'sandbox',
  }),
}
