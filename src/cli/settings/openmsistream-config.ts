/**
 * OpenMSIStream's configuration file, as Python's configparser reads it, for what it says about brokers and the store:
 *
 *     [broker]                                  full-line comments with # or ;
 *     bootstrap.servers = $BROKER_HOST:9092     a value that begins with $ has its variables filled in
 *     sasl.password = 100%%                     %% is a %, %(key)s another value of the section
 *
 *     [s3]                                      access_key_id, secret_key_id, endpoint_url, region
 *
 * Serializers, batching and `group.id` are left out of account: there, programs override the group always.
 */
import {readFile} from 'node:fs/promises'
import {StreamtoolError} from '../../core/errors.js'
import {isConnectionOption} from './client-options.js'

export interface OpenMSIStreamConfig {
  readonly data: Readonly<Record<string, unknown>>
  readonly notes: readonly string[]
}

type Sections = ReadonlyMap<string, ReadonlyMap<string, string>>

export async function readOpenMSIStreamConfig(
  filepath: string,
  env: NodeJS.ProcessEnv,
): Promise<OpenMSIStreamConfig> {
  const sections = parseIni(await readFile(filepath, 'utf8'), filepath)
  if (sections.has('kafkacrypto'))
    throw new StreamtoolError(
      'CLIENT_OPTION_UNSUPPORTED',
      `${filepath} has a section [kafkacrypto]: encrypted topics are not supported.`,
      {suggestions: ['Use a file without that section for topics that are not encrypted.']},
    )
  const options: Record<string, string> = {}
  const ignored: string[] = []
  for (const [key, written] of sections.get('broker') ?? []) {
    if (isConnectionOption(key)) options[key] = fillIn(written, key, filepath, env)
    else if (sections.get('DEFAULT')?.has(key) !== true) ignored.push(key)
  }
  const notes =
    ignored.length === 0
      ? []
      : [`${filepath}: these keys of [broker] are not used here: ${ignored.join(', ')}`]
  return {data: {'client-option': options, ...storeOf(sections, filepath, env)}, notes}
}

/** Its endpoint may lack the scheme, which is https then. */
function storeOf(sections: Sections, filepath: string, env: NodeJS.ProcessEnv) {
  const store: Record<string, string> = {}
  for (const [key, setting] of STORE_KEYS) {
    const written = sections.get('s3')?.get(key)
    if (written !== undefined && written !== '') store[setting] = fillIn(written, key, filepath, env)
  }
  const {'endpoint-url': endpoint} = store
  if (endpoint !== undefined && !/^https?:/.test(endpoint)) store['endpoint-url'] = `https://${endpoint}`
  return Object.keys(store).length === 0 ? {} : {'s3-transfer': store}
}

const STORE_KEYS = [
  ['access_key_id', 'access-key-id'],
  ['secret_key_id', 'secret-access-key'],
  ['endpoint_url', 'endpoint-url'],
  ['region', 'region'],
] as const

/** @throws CONFIG_UNREADABLE naming the line */
export function parseIni(text: string, filepath: string): Sections {
  const sections = new Map<string, Map<string, string>>()
  let section: Map<string, string> | null = null
  let key: string | null = null
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue
    const heading = /^\[([^\]]+)\]$/.exec(trimmed)?.[1]
    if (heading !== undefined) {
      section = sections.get(heading) ?? new Map<string, string>()
      sections.set(heading, section)
      key = null
      continue
    }
    if (section !== null && key !== null && /^\s/.test(line)) {
      section.set(key, `${section.get(key) ?? ''}\n${trimmed}`)
      continue
    }
    const [, name, value] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(trimmed) ?? []
    if (section === null || name === undefined || value === undefined)
      throw new StreamtoolError(
        'CONFIG_UNREADABLE',
        `Line ${index + 1} of ${filepath} is neither a section, a key with its value, nor a comment.`,
      )
    key = name.toLowerCase()
    section.set(key, value)
  }
  const defaults = sections.get('DEFAULT') ?? []
  return new Map([...sections].map(([name, own]) => [name, interpolated(new Map([...defaults, ...own]))]))
}

function interpolated(section: ReadonlyMap<string, string>): Map<string, string> {
  const expand = (text: string, depth: number): string =>
    text.replace(/%%|%\(([^)]+)\)s/g, (match, name: string | undefined) =>
      name === undefined || depth > 10 ? '%' : expand(section.get(name.toLowerCase()) ?? match, depth + 1),
    )
  return new Map([...section].map(([key, value]) => [key, expand(value, 0)]))
}

function fillIn(value: string, key: string, filepath: string, env: NodeJS.ProcessEnv): string {
  if (!value.startsWith('$')) return value
  return value.replace(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (_, braced: string | undefined, bare: string | undefined) => {
      const name = braced ?? bare ?? ''
      const found = env[name]
      if (found !== undefined) return found
      throw new StreamtoolError(
        'SETTING_INVALID',
        `The key ${key} of ${filepath} refers to the environment variable ${name}, which is not set.`,
        {suggestions: [`Set ${name}.`]},
      )
    },
  )
}
