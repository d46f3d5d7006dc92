import type {Invocation} from '../cli/base-command.js'
import {KafkaCommand, type KafkaInvocation} from '../cli/kafka-command.js'
import {retryCommandSettings} from '../cli/settings/catalog.js'
import {flagsOf} from '../cli/settings/flags.js'
import type {Values} from '../cli/settings/setting.js'
import {ExitCode} from '../core/errors.js'
import {nothingDelivered} from '../core/report.js'

export default class Retry extends KafkaCommand<typeof retryCommandSettings> {
  static override summary = 'Try what was given up once more: parked files, and records that were no chunks.'
  static override description = `Reads a dead-letter topic that streamtool has filled (--dead-letter-topic), reads the records that its letters refer to from their topic, and writes the files that are complete now to a directory. Says which records are gone from their topic.

What is delivered is done; everything else stays on the dead-letter topic and is tried again the next time.`
  static override usage = 'retry --from TOPIC --output DIR [FLAGS]'
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
    const [{clock, openDirectory, stepObserver}, {retryFiles}, {summarizeDelivery}] = await Promise.all([
      import('../cli/compose.js'),
      import('../pipelines/retry-files.js'),
      import('../cli/output/summary.js'),
    ])
    const {values, kafka, stopping, reporter, output} = invocation
    const {logger} = output
    const {output: directory, concurrency, onConflict} = values
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
