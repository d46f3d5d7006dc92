/** What was said about each setting, and where: the candidates for its value, strongest first. */
import {dirname} from 'node:path'
import * as v from 'valibot'
import {StreamtoolError} from '../../core/errors.js'
import {mapClientOption} from './client-options.js'
import type {ConfigFile} from './config-file.js'
import {schemaOf} from './schema.js'
import {flagName, keyName, sameKey, type Setting, type Settings, variableName} from './setting.js'

export interface Candidate {
  /** As it was written; not checked yet. */
  readonly raw: unknown
  readonly source: Source
}

export interface Source {
  readonly kind: 'flag' | 'property' | 'environment' | 'file' | 'default'
  /** How to name it to the user: `--topic`, `STREAMTOOL_TOPIC`, `topic in /etc/streamtool/config.yaml`. */
  readonly name: string
  /** What relative paths are relative to. */
  readonly baseDir: string
}

export interface Layers {
  /** The command whose section of the configuration file counts. */
  readonly command: string
  readonly cwd: string
  /** By flag, without dashes. */
  readonly flags: Readonly<Record<string, unknown>>
  /** What was said in another program's words, by setting. */
  readonly properties?: ReadonlyMap<string, Property>
  readonly env: NodeJS.ProcessEnv
  readonly file: ConfigFile | null
}

/** A setting by another name: as it would be written for the setting, and how the user wrote it. */
export interface Property {
  readonly raw: unknown
  /** What it is called there, without its value. */
  readonly name: string
}

/** One layer's values, by setting. */
type Layer = ReadonlyMap<string, Candidate>

/** Flags, properties, environment, the command's section of the file, its top, defaults; each with its -X options expanded. */
export function candidatesOf(settings: Settings, layers: Layers): ReadonlyMap<string, readonly Candidate[]> {
  const ordered = [
    fromFlags(settings, layers),
    fromProperties(settings, layers),
    fromEnvironment(settings, layers),
    ...fromFile(settings, layers),
  ].flatMap((layer) => [layer, fromClientOptions(settings, layer)])
  return new Map(
    Object.entries(settings).map(([name, setting]) => {
      const said = ordered.flatMap((layer) => layer.get(name) ?? [])
      return [name, [...said, ...defaultOf(setting, layers.cwd)]]
    }),
  )
}

function fromFlags(settings: Settings, {flags, cwd}: Layers): Layer {
  return collect(settings, (name) => ({
    raw: flags[keyName(name)],
    source: {kind: 'flag', name: flagName(name), baseDir: cwd},
  }))
}

function fromProperties(settings: Settings, {properties, cwd}: Layers): Layer {
  return collect(settings, (name) => {
    const property = properties?.get(name)
    return {raw: property?.raw, source: {kind: 'property', name: property?.name ?? '', baseDir: cwd}}
  })
}

/** An empty variable is as good as none. */
function fromEnvironment(settings: Settings, {env, cwd}: Layers): Layer {
  return collect(settings, (name) => ({
    raw: env[variableName(name)] === '' ? undefined : env[variableName(name)],
    source: {kind: 'environment', name: variableName(name), baseDir: cwd},
  }))
}

function fromFile(settings: Settings, {file, command}: Layers): Layer[] {
  if (file === null) return []
  const baseDir = dirname(file.filepath)
  const layerOf = (table: Readonly<Record<string, unknown>>, prefix: string) =>
    collect(settings, (name) => ({
      raw: Object.entries(table).find(([key]) => sameKey(key, name))?.[1] ?? undefined,
      source: {kind: 'file', name: `${prefix}${keyName(name)} in ${file.filepath}`, baseDir},
    }))
  const section = file.data[command]
  const top = layerOf(file.data, '')
  return isTable(section) ? [layerOf(section, `${command}.`), top] : [top]
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function defaultOf(setting: Setting, cwd: string): Candidate[] {
  if (setting.default === undefined) return []
  return [{raw: setting.default, source: {kind: 'default', name: 'default', baseDir: cwd}}]
}

function collect(settings: Settings, find: (name: string) => Candidate): Layer {
  const layer = new Map<string, Candidate>()
  for (const name of Object.keys(settings)) {
    const candidate = find(name)
    if (candidate.raw !== undefined) layer.set(name, candidate)
  }
  return layer
}

/** @throws CLIENT_OPTION_UNSUPPORTED */
function fromClientOptions(settings: Settings, layer: Layer): Layer {
  const given = layer.get('clientOption')
  const mapped = new Map<string, Candidate>()
  if (given === undefined || settings['clientOption'] === undefined) return mapped
  const options = readValue(settings['clientOption'], given) as Readonly<Record<string, string>>
  for (const [key, value] of Object.entries(options))
    for (const {name, value: raw} of mapClientOption(key, value, (name) => settings[name] !== undefined))
      if (!mapped.has(name))
        mapped.set(name, {raw, source: {...given.source, name: `${key} of ${given.source.name}`}})
  return mapped
}

/** @throws SETTING_INVALID naming where it was written, never what */
export function readValue(setting: Setting, {raw, source}: Candidate): unknown {
  const result = v.safeParse(schemaOf(setting, source.baseDir), raw, {abortEarly: true})
  if (result.success) return result.output
  // A message of valibot's own would quote the value.
  const reason = result.issues.map(({message}) => message).find((message) => message.startsWith('must '))
  throw new StreamtoolError(
    'SETTING_INVALID',
    `${source.name} ${reason ?? 'has a value that cannot be used'}.`,
    {
      suggestions: source.kind === 'default' ? [] : [`What it is: ${setting.summary}.`],
    },
  )
}
