/** Which transform the settings ask for. */
import {StreamtoolError} from '../core/errors.js'
import {identity, type RecordTransform, reversing} from '../core/relay/index.js'
import type {PassthroughValues} from './relay-options.js'
import {flagName} from './settings/setting.js'

/** @throws SETTING_INVALID, PLUGIN_UNLOADABLE */
export async function transformOf(values: PassthroughValues): Promise<RecordTransform> {
  const {reversestring, reverseBy, plugin, exec} = values
  const wanted = [
    ...(reversestring ? [flagName('reversestring')] : []),
    ...(plugin === undefined ? [] : [flagName('plugin')]),
    ...(exec === undefined ? [] : [flagName('exec')]),
  ]
  if (wanted.length > 1)
    throw new StreamtoolError('SETTING_INVALID', `A record is transformed by one of ${wanted.join(', ')}.`)
  return reversestring ? reversing(reverseBy) : identity
}
