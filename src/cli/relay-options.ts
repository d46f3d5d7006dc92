/** The settings of `passthrough`, as the relay takes them. */
import {StreamtoolError} from '../core/errors.js'
import {deadLetterTopicOf, type KeyExpression, type Partitioning} from '../core/relay/index.js'
import {RELAY_DEFAULTS, type RelayOptions} from '../pipelines/relaying/options.js'
import type {passthroughSettings} from './settings/groups/passthrough.js'
import type {Values} from './settings/setting.js'

export type PassthroughValues = Values<typeof passthroughSettings>

/**
 * @param isSpring missing topics are made unless it was said otherwise
 * @throws SETTING_INVALID
 */
export function relayOptionsOf(
  command: string,
  group: string,
  values: PassthroughValues,
  isSpring: boolean,
): RelayOptions {
  const {deadLetterTopic, deadLetterPartitions, maxAttempts} = values
  if (maxAttempts < 1) throw invalid('--max-attempts is the first attempt too: it must be 1 or more.')
  if (values.timeout === 0) throw invalid('--timeout leaves no time at all.')
  const {inputs, output} = topicsOf(values)
  const failure = {
    onFailure: deadLetterTopic === undefined ? values.onFailure : 'dead-letter',
    deadLetterTopic: deadLetterTopic ?? null,
    deadLetterPartitions: deadLetterPartitions ?? null,
  } as const
  refuseLettersAmongRecords({inputs, output, group, failure})
  return {
    command,
    inputs,
    output,
    group,
    once: values.once,
    startOffset: values.startOffset,
    concurrency: Math.max(1, values.concurrency),
    retry: {
      timeoutMs: values.timeout ?? null,
      maxAttempts,
      backOff: {initialMs: values.backOff, maxMs: values.backOffMax, multiplier: values.backOffMultiplier},
    },
    failure,
    partitioning: partitioningOf(values),
    requiredGroups: values.requiredGroups ?? [],
    contentType: values.contentType ?? null,
    headerMode: values.headers === 'none' ? 'none' : 'headers',
    topicCreation: {
      autoCreate: values.createTopics ?? isSpring,
      replicationFactor: values.replicationFactor ?? null,
      minPartitionCount: Math.max(1, values.partitions),
    },
    flow: {...RELAY_DEFAULTS.flow, inFlightBytes: values.memory},
  }
}

function topicsOf({input, output}: PassthroughValues) {
  const inputs = [...new Set(input)]
  if (inputs.includes(output))
    throw invalid('The output is a topic that is read: every record would come back for ever.')
  return {inputs, output}
}

/** @throws SETTING_INVALID */
function refuseLettersAmongRecords({
  inputs,
  output,
  group,
  failure,
}: Pick<RelayOptions, 'inputs' | 'output' | 'group' | 'failure'>): void {
  if (failure.onFailure !== 'dead-letter') return
  for (const input of inputs) {
    const letters = failure.deadLetterTopic ?? deadLetterTopicOf(input, group)
    if (inputs.includes(letters))
      throw invalid(
        `The dead-letter topic ${letters} is a topic that is read: what failed would come back for ever.`,
      )
    if (letters === output)
      throw invalid(`The dead-letter topic ${letters} is the output: nobody could tell what failed.`)
  }
}

/** @throws SETTING_INVALID */
function partitioningOf({partitionBy, partitions}: PassthroughValues): Partitioning {
  if (partitionBy === 'key' || partitionBy === 'file') return {by: partitionBy}
  return {by: 'expression', expression: expressionOf(partitionBy), partitionCount: Math.max(1, partitions)}
}

function expressionOf(written: string): KeyExpression {
  if (written === 'payload' || written === 'partition') return {of: written}
  if (written === 'key-hash') return {of: 'key'}
  const name = /^header:(.+)$/.exec(written)?.[1]
  if (name !== undefined) return {of: 'header', name}
  throw invalid('--partition-by must be key, file, payload, key-hash, partition or header:NAME.')
}

const invalid = (message: string) => new StreamtoolError('SETTING_INVALID', message)
