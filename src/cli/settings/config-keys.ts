/** The shape of a configuration file: common keys at the top, a command's under its name. */
import {StreamtoolError} from '../../core/errors.js'
import {nearest} from '../../core/nearest.js'
import {CATALOG, commonSettings} from './catalog.js'
import type {ConfigFile} from './config-file.js'
import {keyName, sameKey, type Settings} from './setting.js'

/** Not settings, and nobody's mistake. */
const HARMLESS = new Set(['$schema'])

/** @throws CONFIG_UNKNOWN_KEY naming every key that no setting is named after, with what was probably meant */
export function checkConfigKeys(
  {filepath, data}: ConfigFile,
  catalog = CATALOG,
  checkedElsewhere: readonly string[] = [],
): void {
  const unknown: string[] = []
  const suggestions: string[] = []
  const common = commonSettings(catalog)
  for (const [key, value] of Object.entries(data)) {
    if (HARMLESS.has(key) || hasKey(common, key)) continue
    const section = catalog[key]
    if (section === undefined) {
      if (checkedElsewhere.includes(key)) continue
      unknown.push(key)
      suggestions.push(...whatWasMeant(key, common, catalog))
    } else if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new StreamtoolError(
        'SETTING_INVALID',
        `The key ${key} of ${filepath} must hold a table of settings.`,
      )
    } else {
      for (const inner of Object.keys(value)) {
        if (hasKey(section, inner)) continue
        unknown.push(`${key}.${inner}`)
        const meant = nearest(keyName(inner), Object.keys(section).map(keyName))
        if (meant !== null) suggestions.push(`Instead of ${key}.${inner}, did you mean ${key}.${meant}?`)
      }
    }
  }
  if (unknown.length === 0) return
  const [first = ''] = unknown
  throw new StreamtoolError(
    'CONFIG_UNKNOWN_KEY',
    unknown.length === 1
      ? `${filepath} has a key that is not known: ${first}`
      : `${filepath} has keys that are not known: ${unknown.join(', ')}`,
    {suggestions: [...suggestions, 'docs/configuration.md lists all keys.']},
  )
}

function hasKey(settings: Settings, key: string): boolean {
  return Object.keys(settings).some((name) => sameKey(key, name))
}

function whatWasMeant(key: string, common: Settings, catalog: Readonly<Record<string, Settings>>): string[] {
  const owners = Object.entries(catalog).filter(([, settings]) => hasKey(settings, key))
  if (owners.length > 0)
    return [
      `${key} belongs under the name of its command: ${owners.map(([id]) => `${id}.${key}`).join(', ')}`,
    ]
  const meant = nearest(keyName(key), [...Object.keys(common).map(keyName), ...Object.keys(catalog)])
  return meant === null ? [] : [`Instead of ${key}, did you mean ${meant}?`]
}
