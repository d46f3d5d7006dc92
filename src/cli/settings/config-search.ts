/**
 * Where a configuration is searched for: only JSON and YAML, from the working directory upwards, then in the user's
 * and the machine's configuration directory. The search passes over directories that others can write to: an output
 * directory holds whatever was sent to the topic, so a file found there would let a stranger choose the brokers and
 * read our variables.
 */
import {constants} from 'node:fs'
import {stat} from 'node:fs/promises'
import {homedir} from 'node:os'
import {dirname, join, resolve} from 'node:path'
import {STATE_DIRECTORY} from '../../core/chunk/paths.js'
import {type ConfigFile, readTable, understood} from './config-file.js'
import {newExplorer} from './explorer.js'

export interface ConfigSearch {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Known output directories: never searched, nor anything in them. */
  readonly outputDirs: readonly string[]
  /** The last places, in their order; tests give their own. */
  readonly fixedDirs?: readonly string[]
}

export interface ConfigFindings {
  readonly file: ConfigFile | null
  /** Directories that were looked in, nearest first. */
  readonly searched: readonly string[]
  readonly notes: readonly string[]
}

/** In every directory that is searched. */
export const SEARCHED_NAMES = [
  'streamtool.config.yaml',
  'streamtool.config.yml',
  'streamtool.config.json',
  '.streamtoolrc',
  '.streamtoolrc.yaml',
  '.streamtoolrc.yml',
  '.streamtoolrc.json',
]
/** The same, as a person would say it. */
export const SEARCHED_FOR = 'streamtool.config.yaml (.yml, .json) and .streamtoolrc (.yaml, .yml, .json)'
/** Besides, in the user's and the machine's configuration directory, which are for streamtool alone. */
export const FIXED_NAMES = ['config.yaml', 'config.yml', 'config.json']

export function fixedConfigDirs(env: NodeJS.ProcessEnv): string[] {
  const userDir = env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config')
  return [join(userDir, 'streamtool'), '/etc/streamtool']
}

/** @throws CONFIG_UNREADABLE */
export async function findConfigFile(search: ConfigSearch): Promise<ConfigFindings> {
  const {dirs, notes} = await searchableDirs(search)
  const fixedDirs = search.fixedDirs ?? fixedConfigDirs(search.env)
  const places = [
    ...dirs.map((dir) => ({dir, names: SEARCHED_NAMES})),
    ...fixedDirs.map((dir) => ({dir, names: [...FIXED_NAMES, ...SEARCHED_NAMES]})),
  ]
  const searched: string[] = []
  for (const {dir, names} of places) {
    searched.push(dir)
    const found = await searchDirectory(dir, names)
    if (found === null) continue
    const distrusted = await whyDistrusted(found.filepath)
    if (distrusted !== null) {
      notes.push(`${found.filepath} was passed over: ${distrusted}. Use --config to read it all the same.`)
      continue
    }
    const data = await readTable(found.filepath, found.config, search.env)
    return {file: {filepath: found.filepath, data, notes: []}, searched, notes}
  }
  return {file: null, searched, notes}
}

/** From the working directory to the root, without what lies in an output directory. */
async function searchableDirs({cwd, outputDirs}: ConfigSearch): Promise<{dirs: string[]; notes: string[]}> {
  const upwards: string[] = []
  for (let dir = resolve(cwd); ; dir = dirname(dir)) {
    upwards.push(dir)
    if (dirname(dir) === dir) break
  }
  const known = new Set(outputDirs.map((dir) => resolve(dir)))
  const marked = await Promise.all(
    upwards.map(async (dir) => known.has(dir) || (await isDirectory(join(dir, STATE_DIRECTORY)))),
  )
  const outermost = marked.lastIndexOf(true)
  const skipped = upwards[outermost]
  return {
    dirs: upwards.slice(outermost + 1),
    notes:
      skipped === undefined ? [] : [`${skipped} is an output directory: no configuration is read from it.`],
  }
}

const isDirectory = (dir: string) =>
  stat(dir).then(
    (found) => found.isDirectory(),
    () => false,
  )

/** On a shared machine a directory like /tmp is above many working directories, and open to everybody. */
async function whyDistrusted(filepath: string): Promise<string | null> {
  const me = process.getuid?.()
  if (me === undefined) return null
  const [file, dir] = await Promise.all([stat(filepath), stat(dirname(filepath))])
  const openToAll = (mode: number) => (mode & constants.S_IWOTH) !== 0
  if (openToAll(file.mode)) return 'anybody may write to it'
  if (openToAll(dir.mode) && file.uid !== me)
    return 'it belongs to another user, in a directory open to everybody'
  return null
}

async function searchDirectory(dir: string, names: readonly string[]) {
  const explorer = await newExplorer(names, {executable: false})
  return understood(dir, () => explorer.search(dir))
}
