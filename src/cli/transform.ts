/** Which transform the settings ask for. */
import {StreamtoolError} from '../core/errors.js'
import {identity, type RecordTransform, reversing} from '../core/relay/index.js'
import type {Logger} from '../core/ports/index.js'
import type {FlagDefinitions} from '../processors/contract.js'
import type {PassthroughValues} from './relay-options.js'
import {flagName} from './settings/setting.js'

export interface TransformSurroundings {
  /** Where `streamtool plugins install` puts packages. */
  readonly pluginsDir: string
  readonly logger: Logger
  /** Aborted when the run ends. */
  readonly signal: AbortSignal
}

/** @throws SETTING_INVALID, SETTING_MISSING, PLUGIN_UNLOADABLE, PLUGIN_SETUP_FAILED */
export async function transformOf(
  values: PassthroughValues,
  surroundings: TransformSurroundings,
): Promise<RecordTransform> {
  const {reversestring, reverseBy, plugin, exec} = values
  const wanted = [
    ...(reversestring ? [flagName('reversestring')] : []),
    ...(plugin === undefined ? [] : [flagName('plugin')]),
    ...(exec === undefined ? [] : [flagName('exec')]),
  ]
  if (wanted.length > 1)
    throw new StreamtoolError('SETTING_INVALID', `A record is transformed by one of ${wanted.join(', ')}.`)
  if (plugin !== undefined) return openPlugin(plugin, surroundings)
  if (exec !== undefined) {
    const {programTransform} = await import('../processors/transforms/program-transform.js')
    return programTransform(exec, {logger: surroundings.logger, environment: process.env})
  }
  return reversestring ? reversing(reverseBy) : identity
}

async function openPlugin(spec: string, surroundings: TransformSurroundings): Promise<RecordTransform> {
  const [{loadProcessor}, {consoleToStderr}, {pluginTransform}] = await Promise.all([
    import('../processors/load/index.js'),
    import('../processors/console.js'),
    import('../processors/transforms/plugin-transform.js'),
  ])
  consoleToStderr()
  const processor = await loadProcessor(spec, {
    from: process.cwd(),
    also: [surroundings.pluginsDir],
    member: 'transform',
  })
  const options = defaultsOf(processor.flags ?? {})
  return pluginTransform(processor, {...surroundings, outputDir: process.cwd(), options})
}

/** @throws SETTING_MISSING */
function defaultsOf(flags: FlagDefinitions): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => {
      if ('required' in flag && flag.required)
        throw new StreamtoolError(
          'SETTING_MISSING',
          `The plugin needs ${flagName(name)}, which passthrough cannot give it yet.`,
          {suggestions: [`Give ${name} a default in the plugin.`]},
        )
      return [name, flag.default ?? (flag.type === 'boolean' ? false : undefined)]
    }),
  )
}
