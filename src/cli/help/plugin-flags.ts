/** The flags of the plugin that is named beside `--help`, which become flags of the command that runs it. */
import type {Command} from '@oclif/core'
import {flagsOf} from '../settings/flags.js'

/** @throws PLUGIN_UNLOADABLE and what else finding the plugin throws */
export async function withPluginFlags(
  command: Command.Loadable,
  argv: readonly string[],
  pluginsDir: string,
): Promise<Command.Loadable> {
  const spec = namedPlugin(argv, process.env)
  if (command.id !== 'process' || spec === null) return command
  const {findProcessor} = await import('../find-processor.js')
  const {console} = globalThis
  const found = await findProcessor({flags: {plugin: spec}, cwd: process.cwd(), env: process.env, pluginsDir})
  // What the plugin printed went to stderr; the help is a result.
  globalThis.console = console
  if (found.kind === 'exec') return command
  const own = Object.entries(flagsOf(found.settings)).map(([name, flag]) => [name, {...flag, name}] as const)
  return {...command, flags: {...Object.fromEntries(own), ...command.flags}}
}

function namedPlugin(argv: readonly string[], env: NodeJS.ProcessEnv): string | null {
  const at = argv.findIndex((argument) => argument === '--plugin' || argument.startsWith('--plugin='))
  const said = at < 0 ? env['STREAMTOOL_PLUGIN'] : argv[at]?.slice('--plugin='.length) || argv[at + 1]
  return said === undefined || said === '' ? null : said
}
