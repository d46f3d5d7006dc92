/** Which transform the settings ask for. */
import {StreamtoolError} from '../core/errors.js'
import {identity, type RecordTransform, reversing} from '../core/relay/index.js'
import type {Logger} from '../core/ports/index.js'
import type {FoundTransform} from './find-transform.js'
import {optionsOf} from './plugin-flags.js'
import type {PassthroughValues} from './relay-options.js'
import {flagName} from './settings/setting.js'

export interface TransformSurroundings {
  readonly logger: Logger
  /** Aborted when the run ends. */
  readonly signal: AbortSignal
  /** Ends the run with this error: no record will fare better. */
  readonly fail: (error: StreamtoolError) => void
}

/**
 * @param found the plugin that is named, if one is
 * @throws SETTING_INVALID, PLUGIN_UNLOADABLE, PLUGIN_SETUP_FAILED
 */
export async function transformOf(
  values: PassthroughValues,
  found: FoundTransform | null,
  surroundings: TransformSurroundings,
): Promise<RecordTransform> {
  const {reversestring, reverseBy, exec, concurrency} = values
  const wanted = [
    ...(reversestring ? [flagName('reversestring')] : []),
    ...(found === null ? [] : [flagName('plugin')]),
    ...(exec === undefined ? [] : [flagName('exec')]),
  ]
  if (wanted.length > 1)
    throw new StreamtoolError('SETTING_INVALID', `A record is transformed by one of ${wanted.join(', ')}.`)
  if (found !== null) return openPlugin(found, values, surroundings)
  if (exec !== undefined) {
    const {programTransform} = await import('../processors/transforms/index.js')
    return programTransform(exec, {
      ...surroundings,
      environment: process.env,
      concurrency: Math.max(1, concurrency),
    })
  }
  return reversestring ? reversing(reverseBy) : identity
}

async function openPlugin(
  {processor}: FoundTransform,
  values: PassthroughValues,
  surroundings: TransformSurroundings,
): Promise<RecordTransform> {
  const [{clock}, {pluginTransform}] = await Promise.all([
    import('./compose.js'),
    import('../processors/transforms/index.js'),
  ])
  return pluginTransform(processor, {
    ...surroundings,
    clock,
    outputDir: process.cwd(),
    options: optionsOf(processor.flags, values),
  })
}
