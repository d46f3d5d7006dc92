import {Args} from '@oclif/core'
import {type Invocation, StreamtoolCommand} from '../../cli/base-command.js'
import {flagsOf} from '../../cli/settings/flags.js'
import type {Property} from '../../cli/settings/layers.js'
import {outputSettings} from '../../cli/settings/groups/output.js'
import {ExitCode} from '../../core/errors.js'

export default class ConfigExplain extends StreamtoolCommand<typeof outputSettings> {
  static override summary =
    'Show every setting of a command, where its value comes from, and what it overrode.'
  static override description = `Reads environment and configuration file as the command itself would in this place; for passthrough also Spring's properties, but for those among its arguments. Secrets are masked.`
  static override usage = 'config explain COMMAND [FLAGS]'
  static override examples = [
    '<%= config.bin %> <%= command.id %> upload',
    'STREAMTOOL_BROKERS=localhost:9092 <%= config.bin %> <%= command.id %> reconstruct --json',
  ]
  static override args = {
    command: Args.string({
      description: 'Command whose settings to explain',
      required: true,
      ignoreStdin: true,
    }),
  }
  static override flags = flagsOf(outputSettings)

  protected readonly settings = outputSettings

  protected async execute({
    values,
    flags,
    args,
    output,
  }: Invocation<typeof outputSettings>): Promise<ExitCode> {
    const [{resolvePartly}, {explainSettings}, {completeCatalog, pluginCommandsOf}] = await Promise.all([
      import('../../cli/settings/resolve.js'),
      import('../../cli/settings/explain.js'),
      import('../../cli/plugins/commands.js'),
    ])
    const command = String(args['command'])
    const catalog = await completeCatalog(this.config)
    const settings = catalog[command]
    if (settings === undefined) {
      const {unknownCommand} = await import('../../cli/errors/usage.js')
      throw unknownCommand([command], Object.keys(catalog))
    }
    const {candidates, file, findings} = await resolvePartly(settings, {
      command,
      flags: {config: flags['config']},
      properties: await propertiesOf(command),
      pluginCommands: pluginCommandsOf(this.config),
      cwd: process.cwd(),
      env: process.env,
    })
    const explained = explainSettings(settings, candidates)
    if (values.json) {
      const searched = findings.searched
      output.result({schema: 1, command, file: file?.filepath ?? null, searched, settings: explained})
      return ExitCode.done
    }
    output.resultText(`Configuration file: ${file?.filepath ?? 'none'}`)
    const width = Math.max(...explained.map(({setting}) => setting.length))
    for (const {setting, value, source, overrode} of explained) {
      output.resultText(`${setting.padEnd(width)}  ${value ?? '-'}${source === null ? '' : `  (${source})`}`)
      for (const other of overrode)
        output.resultText(`${' '.repeat(width)}    overrode ${other.value}  (${other.source})`)
    }
    return ExitCode.done
  }
}

/** What is said in another program's words, in this place. */
async function propertiesOf(command: string): Promise<ReadonlyMap<string, Property>> {
  if (command !== 'passthrough') return new Map()
  const {parsePassthrough} = await import('../../cli/spring/index.js')
  return (await parsePassthrough([], process.env, process.cwd())).properties
}
