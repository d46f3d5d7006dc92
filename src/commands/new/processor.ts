import {Args} from '@oclif/core'
import {type Invocation, StreamtoolCommand} from '../../cli/base-command.js'
import {flagsOf} from '../../cli/settings/flags.js'
import {outputSettings} from '../../cli/settings/groups/output.js'
import {ExitCode} from '../../core/errors.js'

export default class NewProcessor extends StreamtoolCommand<typeof outputSettings> {
  static override summary =
    'Write a package with a processor of your own: TypeScript, with a test that passes.'
  static override description = `Makes the directory NAME in the working directory, with what an npm package needs. Nothing is installed, and what is there already is left alone.`
  static override usage = 'new processor NAME [FLAGS]'
  static override examples = [
    '<%= config.bin %> <%= command.id %> xrd-plot && cd xrd-plot && npm install && npm test',
  ]
  static override args = {
    name: Args.string({
      description: 'Of the processor, the package and the directory: lower-case letters, digits, dashes',
      required: true,
      ignoreStdin: true,
    }),
  }
  static override flags = flagsOf(outputSettings)

  protected readonly settings = outputSettings

  protected async execute({values, args, output}: Invocation<typeof outputSettings>): Promise<ExitCode> {
    const {newProcessor} = await import('../../cli/new-package.js')
    const {version} = this.config
    const {name, directory, files} = await newProcessor(String(args['name']), process.cwd(), version)
    if (values.json) output.result({schema: 1, command: this.commandName, directory, files})
    for (const line of [
      `Wrote ${files.length} files to ${directory}. Next:`,
      `  cd ${name} && npm install && npm test`,
      `  streamtool process --topic TOPIC --plugin ./${name}`,
      `What it does is in ${name}/src/index.ts.`,
    ])
      output.logger.info(line)
    return ExitCode.done
  }
}
