import {type Invocation, StreamtoolCommand} from '../../cli/base-command.js'
import {flagsOf} from '../../cli/settings/flags.js'
import {outputSettings} from '../../cli/settings/groups/output.js'
import {ExitCode} from '../../core/errors.js'

export default class ConfigValidate extends StreamtoolCommand<typeof outputSettings> {
  static override summary = 'Check the configuration file: its syntax, its keys and every value in it.'
  static override description = `Checks the file that would be used here, or the one that --config names, for all commands. Nothing is connected to.`
  static override usage = 'config validate [FLAGS]'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --config ./streamtool.config.yaml --json',
  ]
  static override flags = flagsOf(outputSettings)

  protected readonly settings = outputSettings

  protected async execute({values, output}: Invocation<typeof outputSettings>): Promise<ExitCode> {
    const [{resolvePartly}, {completeCatalog, pluginCommandsOf}] = await Promise.all([
      import('../../cli/settings/resolve.js'),
      import('../../cli/plugins/commands.js'),
    ])
    const situation = {
      flags: values.config === undefined ? {} : {config: values.config},
      pluginCommands: pluginCommandsOf(this.config),
      cwd: process.cwd(),
      // The file alone is in question, also where a variable would override it.
      env: withoutSettings(process.env),
    }
    let filepath: string | null = null
    for (const [command, settings] of Object.entries(await completeCatalog(this.config))) {
      const {file} = await resolvePartly(settings, {...situation, command})
      filepath = file?.filepath ?? null
    }
    if (values.json) output.result({schema: 1, command: this.commandName, file: filepath, valid: true})
    else output.resultText(filepath === null ? 'No configuration file was found.' : `${filepath} is valid.`)
    return ExitCode.done
  }
}

const withoutSettings = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('STREAMTOOL_')))
