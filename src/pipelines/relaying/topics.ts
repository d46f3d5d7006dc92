/** The topics of a relay before it begins: made if that is wanted, looked at in any case. */
import {StreamtoolError} from '../../core/errors.js'
import type {Logger, TopicAdmin, TopicDescription} from '../../core/ports/index.js'
import {deadLetterTopicOf} from '../../core/relay/index.js'
import type {RelayOptions} from './options.js'

export interface RelayTopics {
  readonly output: TopicDescription
  /** Partitions of the dead-letter topic of each input, by input; empty without dead letters. */
  readonly deadLetterPartitions: ReadonlyMap<string, number>
}

/**
 * @throws TOPIC_UNKNOWN for a topic that is not there and is not to be made, SETTING_INVALID when the output has fewer
 *   partitions than records are to be spread over
 */
export async function prepareTopics(
  options: RelayOptions,
  {admin, logger}: {readonly admin: TopicAdmin; readonly logger: Logger},
): Promise<RelayTopics> {
  const {inputs, output, partitioning, topicCreation} = options
  const topics = new Topics(options, admin, logger)
  const wanted = partitioning.by === 'expression' ? partitioning.partitionCount : 1
  const outputTopic = await topics.find(output, Math.max(wanted, topicCreation.minPartitionCount))
  if (outputTopic.partitionCount < wanted) throw tooFewPartitions(outputTopic, wanted)
  const deadLetterPartitions = new Map<string, number>()
  for (const input of inputs) {
    const {partitionCount} = await topics.find(input, topicCreation.minPartitionCount)
    const deadLetters = await topics.findDeadLetters(input, partitionCount)
    if (deadLetters !== null) deadLetterPartitions.set(input, deadLetters.partitionCount)
  }
  await keepForRequiredGroups(options, admin, logger)
  return {output: outputTopic, deadLetterPartitions}
}

class Topics {
  constructor(
    private readonly options: RelayOptions,
    private readonly admin: TopicAdmin,
    private readonly logger: Logger,
  ) {}

  async find(topic: string, partitions: number): Promise<TopicDescription> {
    const {autoCreate, replicationFactor} = this.options.topicCreation
    try {
      return await this.admin.describeTopic(topic)
    } catch (thrown) {
      const isMissing = thrown instanceof StreamtoolError && thrown.code === 'TOPIC_UNKNOWN'
      if (!isMissing || !autoCreate) throw thrown
    }
    await this.admin.createTopic(topic, {
      partitions,
      ...(replicationFactor === null ? {} : {replicationFactor}),
    })
    this.logger.info(`Made topic ${topic}, with ${partitions} partition${partitions === 1 ? '' : 's'}.`)
    return this.admin.describeTopic(topic)
  }

  async findDeadLetters(input: string, inputPartitions: number): Promise<TopicDescription | null> {
    const {failure, group} = this.options
    if (failure.onFailure !== 'dead-letter') return null
    const topic = failure.deadLetterTopic ?? deadLetterTopicOf(input, group)
    return this.find(topic, failure.deadLetterPartitions ?? inputPartitions)
  }
}

/**
 * A group that has committed nothing may begin at the end of the topic, and would miss what comes before it is first
 * seen. So where it has no offset yet, it gets the first that there is.
 */
async function keepForRequiredGroups(
  {requiredGroups, output}: RelayOptions,
  admin: TopicAdmin,
  logger: Logger,
): Promise<void> {
  for (const group of requiredGroups) {
    const committed = new Set((await admin.committedOffsets(group, output)).map(({partition}) => partition))
    const ranges = await admin.partitionRanges(output)
    const missing = ranges.filter(({partition}) => !committed.has(partition))
    if (missing.length === 0) continue
    try {
      await admin.resetOffsets(
        group,
        missing.map(({topic, partition, start}) => ({topic, partition, offset: start, metadata: ''})),
      )
      logger.info(`Group ${group} will miss nothing of ${output} from now on.`)
    } catch (thrown) {
      // It is there and reads.
      if (!(thrown instanceof StreamtoolError && thrown.code === 'GROUP_BUSY')) throw thrown
    }
  }
}

function tooFewPartitions({topic, partitionCount}: TopicDescription, wanted: number): StreamtoolError {
  return new StreamtoolError(
    'SETTING_INVALID',
    `${topic} has ${partitionCount} partitions, and records are to be spread over ${wanted}.`,
    {
      facts: {topic, partitionCount, wanted},
      suggestions: ['Add partitions to the topic, or ask for fewer with --partitions.'],
    },
  )
}
