/** Which plugin a `passthrough` is to run: known before its arguments can be read strictly, since it has flags of its own. */
import type {Processor} from '../processors/contract.js'
import {fromOptions, pluginSettings} from './plugin-flags.js'
import type {Property} from './settings/layers.js'
import {passthroughSettings} from './settings/groups/passthrough.js'
import {resolvePartly} from './settings/resolve.js'
import type {Settings} from './settings/setting.js'

export interface FoundTransform {
  readonly processor: Processor
  /** Its flags. */
  readonly settings: Settings
  /** What was said of them in one go. */
  readonly properties: ReadonlyMap<string, Property>
}

export interface TransformSearch {
  /** As far as they could be read without knowing the plugin's. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly properties?: ReadonlyMap<string, Property>
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Where `streamtool plugins install` puts packages. */
  readonly pluginsDir: string
}

const {plugin, options, config} = passthroughSettings
const DECIDING = {plugin, options, config}

/**
 * @returns null when none was named
 * @throws SETTING_INVALID, PLUGIN_UNLOADABLE, and what reading the configuration throws
 */
export async function findTransform(search: TransformSearch): Promise<FoundTransform | null> {
  const {values, candidates} = await resolvePartly(DECIDING, {...search, command: 'passthrough'})
  const spec = values['plugin']
  if (typeof spec !== 'string') return null
  const [{loadProcessor}, {consoleToStderr}] = await Promise.all([
    import('../processors/load/index.js'),
    import('../processors/console.js'),
  ])
  consoleToStderr()
  const processor = await loadProcessor(spec, {
    from: search.cwd,
    also: [search.pluginsDir],
    reservedFlags: Object.keys(passthroughSettings),
    member: 'transform',
  })
  const [given] = candidates.get('options') ?? []
  return {
    processor,
    settings: pluginSettings(processor, 'passthrough'),
    properties:
      given === undefined
        ? new Map()
        : fromOptions(processor, values['options'] as Readonly<Record<string, string>>, given, search.env),
  }
}
