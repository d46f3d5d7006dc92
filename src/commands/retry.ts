import type {Invocation} from '../cli/base-command.js'
import {KafkaCommand, type KafkaInvocation} from '../cli/kafka-command.js'
import {retryCommandSettings} from '../cli/settings/catalog.js'
import {flagsOf} from '../cli/settings/flags.js'
import type {Values} from '../cli/settings/setting.js'
import {ExitCode, StreamtoolError} from '../core/errors.js'
import {nothingDelivered} from '../core/report.js'

export default class Retry extends KafkaCommand<typeof retryCommandSettings> {
  static override summary =
    'Try what was given up once more: parked files, and records of a stream processor.'
  static override description = `Reads a dead-letter topic that streamtool has filled (--dead-letter-topic), reads the records that its letters refer to from their topic, and writes the files that are complete now to a directory. Says which records are gone from their topic.

Without --output, records that a stream processor gave up on (passthrough, Spring Cloud Stream, Kafka Connect) are sent back as they were, to the topic they came from or to another one (--to).

What is delivered, or sent, is done; everything else stays on the dead-letter topic and is tried again the next time.`
  static override usage = [
    'retry --from TOPIC --output DIR [FLAGS]',
    'retry --from TOPIC [--to TOPIC] [FLAGS]',
  ]
  static override examples = [
    {
      description: 'After the missing chunks were sent again',
      command:
        '<%= config.bin %> <%= command.id %> --from instrument-files-dead --output ./received --brokers localhost:9092',
    },
    {
      description: 'Which files are still missing something',
      command:
        '<%= config.bin %> <%= command.id %> --from instrument-files-dead --output ./received --json | jq .problems',
    },
    {
      description: 'Records that passthrough could not transform, once it can',
      command:
        '<%= config.bin %> <%= command.id %> --from error.text-reversal.http.text-reversal --brokers localhost:9092',
    },
  ]
  static override flags = flagsOf(retryCommandSettings)

  protected readonly settings = retryCommandSettings

  protected titleOf({from}: Values<typeof retryCommandSettings>): string {
    return `Connecting, to read ${from}`
  }

  protected endsByItself(): boolean {
    return true
  }

  protected async work(invocation: KafkaInvocation<typeof retryCommandSettings>): Promise<ExitCode> {
    const {output, to} = invocation.values
    if (output === undefined) return this.#replay(invocation)
    if (to !== undefined)
      throw new StreamtoolError('SETTING_INVALID', 'Files go to --output, records to --to: not both at once.')
    return this.#rebuild(invocation, output)
  }

  /** Records, back to a topic. */
  async #replay({
    values,
    kafka,
    stopping,
    reporter,
    output,
  }: KafkaInvocation<typeof retryCommandSettings>): Promise<ExitCode> {
    const [{clock, stepObserver}, {replayRecords}, {summarizeRelay}] = await Promise.all([
      import('../cli/compose.js'),
      import('../pipelines/replay-records.js'),
      import('../cli/output/summary.js'),
    ])
    const {logger} = output
    const {from, topic, to} = values
    const group = values.group ?? `streamtool-retry-${from}`
    logger.info(`Consumer group: ${group}`)
    const {report, exitCode} = await replayRecords(
      {command: this.commandName, from, topic: topic ?? null, to: to ?? null, group},
      {
        admin: kafka.admin(),
        reader: kafka.reader(),
        producer: kafka.producer(),
        clock,
        logger,
        reporter,
        steps: stepObserver(),
      },
      stopping.signal,
    )
    await output.finish(report, summarizeRelay(report), exitCode === ExitCode.done)
    return exitCode
  }

  /** Files, from the records that letters refer to. */
  async #rebuild(
    invocation: KafkaInvocation<typeof retryCommandSettings>,
    directory: string,
  ): Promise<ExitCode> {
    const [{clock, openDirectory, stepObserver}, {retryFiles}, {summarizeDelivery}] = await Promise.all([
      import('../cli/compose.js'),
      import('../pipelines/retry-files.js'),
      import('../cli/output/summary.js'),
    ])
    const {values, kafka, stopping, reporter, output} = invocation
    const {logger} = output
    const {concurrency, onConflict} = values
    const delivery = await openDirectory({
      directory,
      concurrency,
      onConflict,
      logger,
      signal: stopping.signal,
    })
    try {
      const group = values.group ?? `${await delivery.defaultGroup()}-retry`
      logger.info(`Consumer group: ${group}`)
      const {report, exitCode} = await retryFiles(
        {
          command: this.commandName,
          from: values.from,
          topic: values.topic ?? null,
          group,
          memoryBytes: values.memory,
          concurrency,
        },
        {
          admin: kafka.admin(),
          reader: kafka.reader(),
          destination: delivery.destination,
          spill: delivery.spill,
          clock,
          logger,
          reporter,
          steps: stepObserver(),
        },
        stopping.signal,
      )
      await output.finish(report, summarizeDelivery(report), exitCode === ExitCode.done)
      return exitCode
    } finally {
      await delivery.close()
    }
  }

  protected async stoppedEarly({values, output}: Invocation<typeof retryCommandSettings>): Promise<ExitCode> {
    const {summarizeDelivery} = await import('../cli/output/summary.js')
    const report = nothingDelivered(this.commandName, values.from, values.group ?? '', true)
    await output.finish(report, summarizeDelivery(report), false)
    return ExitCode.interrupted
  }
}
