/** Settings, resolved: flags over environment over configuration file over defaults, then checked for completeness. */
import {resolve} from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import {type ConfigFile, loadConfigFile} from './config-file.js'
import {CATALOG} from './catalog.js'
import {checkConfigKeys} from './config-keys.js'
import {type ConfigFindings, findConfigFile, SEARCHED_FOR} from './config-search.js'
import {type Candidate, candidatesOf, type Property, readValue} from './layers.js'
import {flagName, keyName, type Setting, type Settings, type Values, variableName} from './setting.js'

export interface Situation {
  /** Command id; its section of the configuration file counts. */
  readonly command: string
  /** By flag, without dashes, as oclif parsed them. */
  readonly flags: Readonly<Record<string, unknown>>
  /** What was said in another program's words, by setting; weaker than flags, stronger than all else. */
  readonly properties?: ReadonlyMap<string, Property>
  /** Commands that plugins add; their sections of the configuration file are for them to check. */
  readonly pluginCommands?: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** The last places to search; tests give their own. */
  readonly fixedConfigDirs?: readonly string[]
}

export interface Resolution<S extends Settings> {
  readonly values: Values<S>
  /** Everything that was said about each setting, strongest first. */
  readonly candidates: ReadonlyMap<string, readonly Candidate[]>
  readonly file: ConfigFile | null
  /** For the user: files passed over, keys without effect. */
  readonly notes: readonly string[]
}

/**
 * @throws SETTING_MISSING, SETTING_INVALID, CONFIG_UNREADABLE, CONFIG_UNKNOWN_KEY, CLIENT_OPTION_UNSUPPORTED; no
 *   message repeats a value
 */
export async function resolveSettings<S extends Settings>(
  settings: S,
  situation: Situation,
): Promise<Resolution<S>> {
  const {values, findings, ...resolution} = await resolvePartly(settings, situation)
  const missing = Object.entries(settings).filter(
    ([name, setting]) => setting.required === true && values[name] === undefined,
  )
  if (missing.length > 0) throw missingSettings(missing, situation, findings)
  return {...resolution, values: values as Values<S>}
}

/** Without the check for completeness, for `config explain`. */
export async function resolvePartly(settings: Settings, situation: Situation) {
  const findings = await configOf(settings, situation)
  const {file} = findings
  if (file !== null) checkConfigKeys(file, catalogFor(settings, situation), situation.pluginCommands)
  const candidates = candidatesOf(settings, {...situation, file})
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(settings)) {
    const [strongest] = candidates.get(name) ?? []
    values[name] = strongest === undefined ? undefined : readValue(setting, strongest)
  }
  return {values, candidates, file, findings, notes: [...findings.notes, ...(file?.notes ?? [])]}
}

/** A command of a plugin brings its settings along. */
function catalogFor(settings: Settings, {command, pluginCommands}: Situation) {
  return pluginCommands?.includes(command) === true ? {...CATALOG, [command]: settings} : CATALOG
}

async function configOf(settings: Settings, situation: Situation): Promise<ConfigFindings> {
  const {cwd, env, fixedConfigDirs} = situation
  const named = saidBeforeConfig('config', settings, situation)
  if (named !== null) return {file: await loadConfigFile(named, {cwd, env}), searched: [], notes: []}
  const output = saidBeforeConfig('output', settings, situation)
  return findConfigFile({
    cwd,
    env,
    outputDirs: output === null ? [] : [resolve(cwd, output)],
    ...(fixedConfigDirs === undefined ? {} : {fixedDirs: fixedConfigDirs}),
  })
}

/** What decides where a configuration is looked for cannot come from one. */
function saidBeforeConfig(name: string, settings: Settings, {flags, env}: Situation): string | null {
  // An output may also be a topic.
  if (settings[name]?.kind !== 'path') return null
  const said = flags[keyName(name)] ?? env[variableName(name)]
  return typeof said === 'string' && said !== '' ? said : null
}

function missingSettings(
  missing: readonly (readonly [string, Setting])[],
  {command}: Situation,
  {file, searched}: ConfigFindings,
): StreamtoolError {
  const names = missing.map(([name]) => keyName(name))
  return new StreamtoolError(
    'SETTING_MISSING',
    `${command} needs ${names.join(' and ')}, which ${names.length === 1 ? 'was' : 'were'} given nowhere.`,
    {
      suggestions: [
        ...missing.map(([name, setting]) => waysToSay(name, setting)),
        file === null
          ? `No configuration file was found: looked for ${SEARCHED_FOR} in ${searched.join(', ')}.`
          : `The configuration file ${file.filepath} was read and does not say it.`,
        ...(names.includes('brokers')
          ? ['No Kafka at hand? Run `streamtool sandbox`: it starts one and prints what to copy.']
          : []),
      ],
    },
  )
}

function waysToSay(name: string, {example, placeholder, section}: Setting): string {
  const value = example ?? placeholder
  const where = section === undefined ? '' : ` under ${section}`
  return (
    `Give ${flagName(name)} ${value}, or set ${variableName(name)}=${value}, ` +
    `or write \`${keyName(name)}: ${value}\`${where} in streamtool.config.yaml.`
  )
}
