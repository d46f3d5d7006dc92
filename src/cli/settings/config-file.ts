/** Reading one configuration file, found or named. A file that executes is read only when --config names it. */
import {constants} from 'node:fs'
import {access} from 'node:fs/promises'
import {basename, dirname, extname, resolve} from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import {newExplorer} from './explorer.js'
import {interpolate} from './interpolate.js'
import {readOpenMSIStreamConfig} from './openmsistream-config.js'

export interface ConfigFile {
  readonly filepath: string
  /** As it was written, references filled in. */
  readonly data: Readonly<Record<string, unknown>>
  /** Notes for the user: what was left out of account. */
  readonly notes: readonly string[]
}

/**
 * Reads the file that --config names: JSON, YAML, a JavaScript module, or an OpenMSIStream INI file.
 * @throws CONFIG_UNREADABLE
 */
export async function loadConfigFile(
  named: string,
  scope: {cwd: string; env: NodeJS.ProcessEnv},
): Promise<ConfigFile> {
  const filepath = await existing(resolve(scope.cwd, named))
  const extension = extname(filepath)
  if (INI_EXTENSIONS.includes(extension))
    return {filepath, ...(await readOpenMSIStreamConfig(filepath, scope.env))}
  if (extension !== '' && !LOADABLE_EXTENSIONS.includes(extension))
    throw unreadable(filepath, `: files ending in ${extension} are not known`, [
      `Known are ${[...LOADABLE_EXTENSIONS, ...INI_EXTENSIONS].join(' ')}`,
    ])
  const explorer = await newExplorer([basename(filepath)], {executable: true})
  const loaded = await understood(filepath, () => explorer.load(filepath))
  const data = await readTable(filepath, loaded?.config ?? {}, scope.env)
  return {filepath, data, notes: []}
}

const LOADABLE_EXTENSIONS = ['.yaml', '.yml', '.json', '.js', '.mjs', '.cjs']
const INI_EXTENSIONS = ['.config', '.ini', '.cfg', '.conf']

/** OpenMSIStream adds `.config` to a name without it. */
async function existing(filepath: string): Promise<string> {
  for (const candidate of [filepath, `${filepath}.config`]) if (await isReadable(candidate)) return candidate
  throw unreadable(filepath, '', ['Check the path given by --config or STREAMTOOL_CONFIG.'])
}

const isReadable = (filepath: string) =>
  access(filepath, constants.R_OK).then(
    () => true,
    () => false,
  )

/** The content of a configuration file, with its references filled in. */
export async function readTable(
  filepath: string,
  config: unknown,
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, unknown>>> {
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw unreadable(filepath, ': it does not hold a table of settings', [])
  return (await interpolate(config, '', {filepath, baseDir: dirname(filepath), env})) as Record<
    string,
    unknown
  >
}

/** Runs a parser and says where it gave up. */
export async function understood<T>(where: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof StreamtoolError) throw error
    const {filepath = where, place} = parseFailure(error)
    throw unreadable(filepath, place, ['Check that it is valid YAML or JSON.'], error)
  }
}

const unreadable = (filepath: string, place: string, suggestions: string[], cause?: unknown) =>
  new StreamtoolError('CONFIG_UNREADABLE', `The configuration file ${filepath} cannot be read${place}.`, {
    suggestions,
    cause,
  })

/** The parsers' own messages quote the file, and with it whatever secret stands near the mistake. */
function parseFailure(error: unknown): {filepath?: string; place: string} {
  const {filepath, mark, reason, message} = error as {
    filepath?: string
    mark?: {line: number}
    reason?: string
    message?: string
  }
  const position = /at position (\d+)/.exec(message ?? '')?.[1]
  const place =
    mark === undefined
      ? position === undefined
        ? ''
        : `: it stops being JSON at character ${position}`
      : `: line ${mark.line + 1}, ${reason ?? 'not YAML'}`
  return filepath === undefined ? {place} : {filepath, place}
}
