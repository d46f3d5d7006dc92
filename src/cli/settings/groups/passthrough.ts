/** What `passthrough` has for itself. Spring's properties are another way of saying the same (cli/spring/). */
import {groupSettings} from './consumer-group.js'
import {httpSettings} from './http.js'
import {kafkaSettings, securitySettings} from './kafka.js'
import {outputSettings} from './output.js'
import {onceSettings, stoppingSettings} from './running.js'
import {choice, decimal, duration, integer, list, pairs, size, text, toggle} from '../setting.js'

const relaySettings = {
  input: list({
    group: 'KAFKA',
    placeholder: 'TOPIC',
    summary: 'Topics to read, one or several',
    required: true,
    example: 'text-reversal.http',
  }),
  output: text({
    group: 'KAFKA',
    placeholder: 'TOPIC',
    summary: 'Topic to write to',
    required: true,
    example: 'text-reversal.python-processor',
  }),
}

const transformSettings = {
  reversestring: toggle({
    group: 'TRANSFORMING',
    summary: 'Reverse the text of each record, by what a reader takes for a character',
    default: 'false',
  }),
  reverseBy: choice(['grapheme', 'grapheme-or-byte', 'byte'], {
    group: 'TRANSFORMING',
    summary:
      'What is reversed: graphemes, of which bytes that are no UTF-8 have none; those by bytes; all by bytes',
    default: 'grapheme',
  }),
  plugin: text({
    group: 'TRANSFORMING',
    placeholder: 'SPEC',
    summary: 'Module with a transform(record, context): a path, or the name of an npm package',
  }),
  options: pairs({
    group: 'TRANSFORMING',
    summary:
      "The plugin's own flags, all in one; in a configuration file a table, passthrough.options. --plugin SPEC --help shows them",
  }),
  exec: text({
    group: 'TRANSFORMING',
    placeholder: 'COMMAND',
    summary: 'Program that gets each record as a line of JSON on stdin, and answers with a line on stdout',
  }),
  concurrency: integer({
    group: 'TRANSFORMING',
    summary: 'Partitions whose records are transformed side by side',
    default: '1',
  }),
  memory: size({
    group: 'TRANSFORMING',
    summary: 'Bytes that are read and not yet acknowledged by the output',
    default: '32MiB',
    common: true,
  }),
}

const failureSettings = {
  timeout: duration({
    group: 'FAILURES',
    summary: 'How long one attempt on a record may take (else as long as it does)',
  }),
  maxAttempts: integer({
    group: 'FAILURES',
    summary: 'How often a record is tried in all',
    default: '3',
  }),
  backOff: duration({group: 'FAILURES', summary: 'Pause before the second attempt', default: '1s'}),
  backOffMultiplier: decimal({
    group: 'FAILURES',
    summary: 'How much longer each further pause is',
    default: '2',
  }),
  backOffMax: duration({group: 'FAILURES', summary: 'The longest pause', default: '10s'}),
  onFailure: choice(['stop', 'dead-letter', 'skip'], {
    group: 'FAILURES',
    summary:
      'What becomes of a record that failed so often: the run ends and it is tried again at the next start, it goes to the dead-letter topic, or it is lost',
    default: 'stop',
  }),
  deadLetterTopic: text({
    group: 'FAILURES',
    placeholder: 'TOPIC',
    summary: 'Where such records go; implies --on-failure dead-letter (else error.<input>.<group>)',
  }),
  deadLetterPartitions: integer({
    group: 'FAILURES',
    summary: 'Partitions of the dead-letter topic; 1 puts all on one (else as many as the input has)',
  }),
}

const outputTopicSettings = {
  partitionBy: text({
    group: 'OUTPUT TOPIC',
    placeholder: 'WHAT',
    summary:
      'What decides the partition a record goes to: key, as Kafka does it; file, for chunks of files; payload, key-hash, partition or header:NAME, as Spring Cloud Stream does it',
    default: 'key',
  }),
  headers: choice(['keep', 'none'], {
    group: 'OUTPUT TOPIC',
    summary: 'Whether the headers go along',
    default: 'keep',
  }),
  contentType: text({
    group: 'OUTPUT TOPIC',
    placeholder: 'TYPE',
    summary: 'Content type to write into the headers, as Spring Cloud Stream does',
  }),
  compression: choice(['none', 'gzip', 'snappy', 'lz4', 'zstd'], {
    group: 'OUTPUT TOPIC',
    summary: 'How records are compressed on their way, and on the topic; zstd from Node 22.15 on',
    default: 'none',
  }),
  createTopics: toggle({
    group: 'OUTPUT TOPIC',
    summary: 'Make topics that are not there (else only with properties of Spring, as it does)',
  }),
  partitions: integer({group: 'OUTPUT TOPIC', summary: 'Partitions of topics that are made', default: '1'}),
  replicationFactor: integer({
    group: 'OUTPUT TOPIC',
    summary: "Replicas of topics that are made (else the brokers' default)",
  }),
  requiredGroups: list({
    group: 'OUTPUT TOPIC',
    placeholder: 'ID',
    summary:
      'Groups that are to miss nothing of the output; they are made at the start unless they are there',
  }),
}

const {instanceId, sessionTimeout, fromBeginning, stateDir} = groupSettings
const relayGroupSettings = {
  group: text({
    group: 'CONSUMER GROUP',
    placeholder: 'ID',
    summary: 'Consumer group (else the name of the stream, or one named after input and output)',
  }),
  startOffset: choice(['earliest', 'latest'], {
    group: 'CONSUMER GROUP',
    summary: 'Where a group begins that has committed nothing',
    default: 'earliest',
  }),
  instanceId,
  sessionTimeout,
  fromBeginning,
  stateDir,
}

export const passthroughSettings = {
  ...relaySettings,
  ...kafkaSettings,
  ...onceSettings,
  ...transformSettings,
  ...failureSettings,
  ...outputTopicSettings,
  ...relayGroupSettings,
  ...securitySettings,
  ...stoppingSettings,
  ...httpSettings,
  ...outputSettings,
}
