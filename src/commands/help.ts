import {Command, loadHelpClass} from '@oclif/core'

/** `streamtool help upload` is `streamtool upload --help`. */
export default class Help extends Command {
  static override summary = 'Show help, of streamtool or of one command.'
  static override usage = 'help [COMMAND]'
  static override examples = ['<%= config.bin %> help upload']
  static override strict = false

  override async run(): Promise<void> {
    this.parsed = true
    const HelpClass = await loadHelpClass(this.config)
    await new HelpClass(this.config, this.config.pjson.oclif.helpOptions).showHelp(this.argv)
  }
}
