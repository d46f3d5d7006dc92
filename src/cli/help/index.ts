/** oclif's help, with sections on exit codes, environment and configuration for commands that have settings. */
import {type Command, CommandHelp, Help} from '@oclif/core'
import {configurationSection, environmentSection, exitCodeSection} from './sections.js'

class StreamtoolCommandHelp extends CommandHelp {
  protected override sections() {
    const own = super.sections()
    if (!('log-level' in this.command.flags)) return own
    return [
      ...own,
      {header: 'EXIT CODES', generate: () => exitCodeSection},
      {header: 'ENVIRONMENT', generate: () => this.wrap(environmentSection)},
      {header: 'CONFIGURATION', generate: () => this.wrap(configurationSection)},
    ]
  }
}

export default class StreamtoolHelp extends Help {
  protected override CommandHelpClass = StreamtoolCommandHelp
  #argv: readonly string[] = []

  override async showHelp(argv: string[]): Promise<void> {
    const words = argv.filter((argument) => !argument.startsWith('-') && argument !== 'help')
    if (words.length > 0 && !this.#isKnown(words)) {
      const ids = this.config.commands
        .filter((command) => !command.hidden)
        .map(({id}) => id.replaceAll(':', ' '))
      const [{unknownCommand}, {earlyOutput}] = await Promise.all([
        import('../errors/usage.js'),
        import('../output/early.js'),
      ])
      const error = unknownCommand(words, ids.sort())
      await earlyOutput(null, argv, process.env).fail(error)
      process.exitCode = error.exitCode
      return
    }
    this.#argv = argv
    await super.showHelp(argv)
  }

  override async showCommandHelp(command: Command.Loadable): Promise<void> {
    const {withPluginFlags} = await import('./plugin-flags.js')
    try {
      await super.showCommandHelp(await withPluginFlags(command, this.#argv, this.config.dataDir))
    } catch (thrown) {
      const [{asStreamtoolError}, {earlyOutput}] = await Promise.all([
        import('../../core/errors.js'),
        import('../output/early.js'),
      ])
      const error = asStreamtoolError(thrown)
      await earlyOutput(command.id, this.#argv, process.env).fail(error)
      process.exitCode = error.exitCode
    }
  }

  #isKnown(words: readonly string[]): boolean {
    return words.some((_, index) => {
      const id = words.slice(0, index + 1).join(':')
      return this.config.findCommand(id) !== undefined || this.config.findTopic(id) !== undefined
    })
  }
}
