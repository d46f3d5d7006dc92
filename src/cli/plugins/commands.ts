/** The commands that plugins add, beside our own catalog of commands and settings. */
import type {Config} from '@oclif/core'
import {CATALOG} from '../settings/catalog.js'
import {settingsOf} from '../settings/flags.js'
import type {Settings} from '../settings/setting.js'

/** As users write them. */
export const pluginCommandsOf = (config: Config): readonly string[] =>
  added(config).map(({id}) => id.replaceAll(':', ' '))

/** With the settings of plugins' commands, which are loaded for it; those that cannot be are left out. */
export async function completeCatalog(config: Config): Promise<Readonly<Record<string, Settings>>> {
  const found: Record<string, Settings> = {}
  for (const command of added(config)) {
    const loaded = await command.load().catch(() => null)
    const settings = loaded === null ? undefined : settingsOf(loaded.flags)
    if (settings !== undefined) found[command.id.replaceAll(':', ' ')] = settings
  }
  return {...found, ...CATALOG}
}

const added = (config: Config) => config.commands.filter(({pluginType}) => pluginType !== 'core')
