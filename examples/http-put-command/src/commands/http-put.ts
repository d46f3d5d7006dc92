import {
  type Delivery,
  type DeliverySurroundings,
  FileConsumingCommand,
  fileConsumingSettings,
  flagsOf,
  groupOf,
  openTemporarySpill,
  text,
  type Values,
} from 'streamtool/cli'
import {HttpDestination} from '../http-destination.js'

// All that reconstruct has, and where to. The order is that of --help.
const settings = {
  url: text({
    group: 'HTTP',
    placeholder: 'URL',
    summary: 'Each file is PUT to its path below this URL',
    required: true,
    example: 'https://archive.example.org/inbox/',
  }),
  ...fileConsumingSettings,
}

export default class HttpPut extends FileConsumingCommand<typeof settings> {
  static override summary = 'Put files together from a topic and PUT each to a web server.'
  static override usage = 'http-put --topic TOPIC --url URL [FLAGS]'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --topic instrument-files --url https://archive.example.org/inbox/',
  ]
  static override flags = flagsOf(settings)

  protected readonly settings = settings

  protected titleOf({topic}: Values<typeof settings>): string {
    return `Connecting, to read ${topic}`
  }

  protected async openDelivery(
    {topic, url}: Values<typeof settings>,
    {signal}: DeliverySurroundings,
  ): Promise<Delivery> {
    const destination = await HttpDestination.below(url, signal)
    const spill = await openTemporarySpill()
    return {
      destination,
      spill,
      defaultGroup: async () => groupOf('http-put', topic, url),
      async close() {
        await destination.close()
        await spill.close()
      },
    }
  }
}
