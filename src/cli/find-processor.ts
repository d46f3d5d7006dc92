/**
 * What a `process` is to run: known before its arguments can be read strictly, since a plugin has flags of its own. The
 * stronger layer decides (a program on the command line over a plugin in the configuration); in one layer only one of
 * the two may stand.
 */
import {StreamtoolError} from '../core/errors.js'
import {BUILTIN_PROCESSORS} from '../processors/builtin/index.js'
import {consoleToStderr} from '../processors/console.js'
import type {Processor} from '../processors/contract.js'
import {loadProcessor} from '../processors/load/index.js'
import {fromOptions, pluginSettings} from './plugin-flags.js'
import {processSettings} from './settings/catalog.js'
import type {Candidate, Property, Source} from './settings/layers.js'
import {resolvePartly} from './settings/resolve.js'
import type {Settings} from './settings/setting.js'

export type FoundProcessor =
  | {readonly kind: 'exec'; readonly template: string}
  | {
      readonly kind: 'plugin'
      readonly processor: Processor
      /** How other processes find it too. */
      readonly origin: PluginOrigin
      /** Its results are all that it does. */
      readonly needsResultTopic: boolean
      /** Its flags. */
      readonly settings: Settings
      /** What was said of them in one go. */
      readonly properties: ReadonlyMap<string, Property>
    }

/** What `loadProcessor` takes. */
export interface PluginOrigin {
  readonly plugin: string
  readonly from: string
  readonly also: readonly string[]
  readonly reservedFlags: readonly string[]
}

export interface ProcessorSearch {
  /** As far as they could be read without knowing the plugin's. */
  readonly flags: Readonly<Record<string, unknown>>
  /** Of flags that are none of ours: thrown when no plugin is named whose they could be. */
  readonly refusal?: Error | null
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Where `streamtool plugins install` puts packages. */
  readonly pluginsDir: string
}

const STRONGEST_FIRST: readonly Source['kind'][] = ['flag', 'property', 'environment', 'file', 'default']
const DECIDING = decidingOf(processSettings)

/** @throws SETTING_MISSING, SETTING_INVALID, PLUGIN_UNLOADABLE, the refusal, and what reading the configuration throws */
export async function findProcessor(search: ProcessorSearch): Promise<FoundProcessor> {
  const {values, candidates} = await resolvePartly(DECIDING, {...search, command: 'process'})
  const [plugin, exec] = [candidates.get('plugin')?.[0], candidates.get('exec')?.[0]]
  if (plugin === undefined && exec === undefined) throw search.refusal ?? nothingToRun()
  const wanted = strongerOf(plugin, exec)
  if (wanted === 'exec') return {kind: 'exec', template: String(values['exec'])}
  const spec = String(values['plugin'])
  const origin = {
    plugin: spec,
    from: search.cwd,
    also: [search.pluginsDir],
    reservedFlags: [...Object.keys(processSettings), 'list'],
  }
  consoleToStderr()
  const processor = await loadProcessor(spec, {...origin, builtins: BUILTIN_PROCESSORS, member: 'process'})
  const [given] = candidates.get('options') ?? []
  return {
    kind: 'plugin',
    processor,
    origin,
    needsResultTopic: BUILTIN_PROCESSORS.get(spec)?.needsResultTopic === true,
    settings: pluginSettings(processor, 'process'),
    properties:
      given === undefined
        ? new Map()
        : fromOptions(processor, values['options'] as Readonly<Record<string, string>>, given, search.env),
  }
}

function decidingOf({plugin, exec, options, config, output}: typeof processSettings) {
  return {plugin, exec, options, config, output}
}

function strongerOf(plugin: Candidate | undefined, exec: Candidate | undefined): 'plugin' | 'exec' {
  const difference = rankOf(plugin) - rankOf(exec)
  if (difference === 0)
    throw new StreamtoolError(
      'SETTING_INVALID',
      `process runs a plugin or a program, not both: ${plugin?.source.name ?? ''} and ${exec?.source.name ?? ''} were given.`,
      {suggestions: ['Leave out one of them.']},
    )
  return difference < 0 ? 'plugin' : 'exec'
}

const rankOf = (candidate: Candidate | undefined) =>
  candidate === undefined ? STRONGEST_FIRST.length : STRONGEST_FIRST.indexOf(candidate.source.kind)

function nothingToRun(): StreamtoolError {
  return new StreamtoolError('SETTING_MISSING', 'process was given neither a plugin nor a program to run.', {
    suggestions: [
      'Give --plugin SPEC: a path like ./analyse.ts, the name of an npm package, or a built-in processor (process --list).',
      "Or give --exec COMMAND: 'python3 analyse.py {path}'.",
      'STREAMTOOL_PLUGIN, STREAMTOOL_EXEC, or `plugin` and `exec` under `process` in streamtool.config.yaml say the same.',
    ],
  })
}
