/** The flags of the plugin that is named beside `--help`, which become flags of the command that runs it. */
import type {Command} from '@oclif/core'
import type {TransformSearch} from '../find-transform.js'
import {flagsOf} from '../settings/flags.js'
import type {Settings} from '../settings/setting.js'

/** @throws PLUGIN_UNLOADABLE and what else finding the plugin throws */
export async function withPluginFlags(
  command: Command.Loadable,
  argv: readonly string[],
  pluginsDir: string,
): Promise<Command.Loadable> {
  const spec = namedPlugin(argv, process.env)
  if (spec === null) return command
  const {console} = globalThis
  const search = {flags: {plugin: spec}, cwd: process.cwd(), env: process.env, pluginsDir}
  const settings = await settingsOfPlugin(command.id, search)
  // What the plugin printed went to stderr; the help is a result.
  globalThis.console = console
  const own = Object.entries(flagsOf(settings)).map(([name, flag]) => [name, {...flag, name}] as const)
  return {...command, flags: {...Object.fromEntries(own), ...command.flags}}
}

async function settingsOfPlugin(commandId: string, search: TransformSearch): Promise<Settings> {
  if (commandId === 'process') {
    const {findProcessor} = await import('../find-processor.js')
    const found = await findProcessor(search)
    return found.kind === 'exec' ? {} : found.settings
  }
  if (commandId !== 'passthrough') return {}
  const {findTransform} = await import('../find-transform.js')
  return (await findTransform(search))?.settings ?? {}
}

function namedPlugin(argv: readonly string[], env: NodeJS.ProcessEnv): string | null {
  const at = argv.findIndex((argument) => argument === '--plugin' || argument.startsWith('--plugin='))
  const said = at < 0 ? env['STREAMTOOL_PLUGIN'] : argv[at]?.slice('--plugin='.length) || argv[at + 1]
  return said === undefined || said === '' ? null : said
}
