/**
 * A plugin's own flags as settings of the command that runs it: they parse as strictly, and come from a flag, its
 * variable, `--options` or `options` in the command's section of the configuration (`process.options`), or the plugin's own
 * default; in this order.
 */
import {StreamtoolError} from '../core/errors.js'
import type {FlagDefinition, FlagDefinitions, Processor} from '../processors/contract.js'
import {nearest} from '../core/nearest.js'
import type {Candidate, Property} from './settings/layers.js'
import {
  choice,
  keyName,
  number,
  sameKey,
  type Setting,
  type Settings,
  text,
  toggle,
  variableName,
} from './settings/setting.js'

/** @param command that runs it, and has a setting `options` */
export function pluginSettings({name, flags = {}}: Processor, command: string): Settings {
  const facts = {group: name.toUpperCase(), section: `${command}.options`}
  return Object.fromEntries(
    Object.entries(flags).map(([flag, definition]) => [flag, settingOf(definition, facts)]),
  )
}

function settingOf(definition: FlagDefinition, place: Pick<Setting, 'group' | 'section'>): Setting {
  const facts = {
    ...place,
    summary: definition.description ?? 'A flag of the plugin',
    // An empty text is no value of a setting, but may be a plugin's default (optionsOf).
    ...(definition.default === undefined || definition.default === ''
      ? {}
      : {default: String(definition.default)}),
    ...('required' in definition && definition.required ? ({required: true} as const) : {}),
  }
  switch (definition.type) {
    case 'boolean':
      return toggle(facts)
    case 'number':
      return number({
        ...facts,
        ...(definition.min === undefined ? {} : {min: definition.min}),
        ...(definition.max === undefined ? {} : {max: definition.max}),
      })
    case 'string':
      return definition.choices === undefined ? text(facts) : choice(definition.choices, facts)
  }
}

/** What the plugin is given, of the values that were resolved. */
export function optionsOf(
  flags: FlagDefinitions = {},
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(flags).map(([flag, definition]) => {
      const fallback = definition.type === 'boolean' ? (definition.default ?? false) : definition.default
      return [flag, values[flag] ?? fallback]
    }),
  )
}

/**
 * What `--options` and `process.options` say, by setting.
 * @param given the resolved value of the setting `options`, and where it was said
 * @throws CONFIG_UNKNOWN_KEY, USAGE for a key that no flag of the plugin is named after
 */
export function fromOptions(
  {name, flags = {}}: Processor,
  given: Readonly<Record<string, string>>,
  {source}: Candidate,
  env: NodeJS.ProcessEnv,
): ReadonlyMap<string, Property> {
  const said = new Map<string, Property>()
  for (const [key, raw] of Object.entries(given)) {
    const flag = Object.keys(flags).find((each) => sameKey(key, each))
    if (flag === undefined) throw unknownOption(key, name, flags, source)
    // Weaker than the flag's own variable.
    const variable = env[variableName(flag)]
    if (variable === undefined || variable === '')
      said.set(flag, {raw, name: `${keyName(flag)} in ${source.name}`})
  }
  return said
}

function unknownOption(
  key: string,
  plugin: string,
  flags: FlagDefinitions,
  {kind, name}: Candidate['source'],
): StreamtoolError {
  const known = Object.keys(flags).map(keyName)
  const meant = nearest(keyName(key), known)
  return new StreamtoolError(
    kind === 'file' ? 'CONFIG_UNKNOWN_KEY' : 'USAGE',
    `${name} names ${JSON.stringify(key)}, and ${plugin} has no such flag.`,
    {
      suggestions: [
        ...(meant === null ? [] : [`Did you mean ${meant}?`]),
        known.length === 0 ? `${plugin} has no flags of its own.` : `Flags of ${plugin}: ${known.join(', ')}`,
      ],
    },
  )
}
