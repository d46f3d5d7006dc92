import type {Delivery} from '../cli/delivery.js'
import {type DeliverySurroundings, FileConsumingCommand} from '../cli/file-consuming-command.js'
import {reconstructSettings} from '../cli/settings/catalog.js'
import {flagsOf} from '../cli/settings/flags.js'
import type {Values} from '../cli/settings/setting.js'

export default class Reconstruct extends FileConsumingCommand<typeof reconstructSettings> {
  static override summary = 'Put files together from a topic and write them to a directory.'
  static override description = `Each file appears under its name only once it is whole, its SHA-512 is verified and it is safely on disk. Chunks that are missing are waited for; records that are no chunks are counted and skipped.

Runs until it is stopped; with --once until the end that the topic had at the start. A restart goes on where the last run was, on any host: the consumer group is kept in the output directory.`
  static override usage = 'reconstruct --topic TOPIC --output DIR [FLAGS]'
  static override examples = [
    {
      description: 'Everything that arrives, until stopped',
      command:
        '<%= config.bin %> <%= command.id %> --topic instrument-files --output ./received --brokers localhost:9092',
    },
    {
      description: 'What is there now, then exit (for cron)',
      command: '<%= config.bin %> <%= command.id %> --topic instrument-files --output ./received --once',
    },
    {
      description: 'The path of each file as it is delivered',
      command:
        '<%= config.bin %> <%= command.id %> --topic instrument-files --output ./received --events | jq -r \'select(.event == "file.delivered").path\'',
    },
  ]
  static override flags = flagsOf(reconstructSettings)

  protected readonly settings = reconstructSettings

  protected titleOf({topic}: Values<typeof reconstructSettings>): string {
    return `Connecting, to read ${topic}`
  }

  protected async openDelivery(
    {output, concurrency, onConflict}: Values<typeof reconstructSettings>,
    {logger, signal, onOutage}: DeliverySurroundings,
  ): Promise<Delivery> {
    const {openDirectory} = await import('../cli/compose.js')
    return openDirectory({directory: output, concurrency, onConflict, logger, signal, onOutage})
  }
}
