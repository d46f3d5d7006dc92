/** Where a plugin is: the file that a spec names. Names of built-in processors are never looked for anywhere else. */
import {readdir, stat} from 'node:fs/promises'
import {basename, dirname, extname, isAbsolute, join, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {nearest} from '../../core/nearest.js'
import type {Processor} from '../contract.js'
import type {LoadOptions} from './options.js'
import {OWN_ROOT} from './own-name.js'
import {entryOfDirectory, findPackage} from './packages.js'
import {inWords, unloadable} from './unloadable.js'

export type Located =
  | {readonly kind: 'file'; readonly path: string}
  | {readonly kind: 'builtin'; readonly load: () => Promise<Processor>}

const EXTENSIONS = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts']

/** @throws PLUGIN_UNLOADABLE */
export async function locate(spec: string, options: LoadOptions): Promise<Located> {
  const path = pathOf(spec, options.from)
  if (path !== null) return {kind: 'file', path: await fileAt(spec, path)}
  const builtin = options.builtins?.get(spec)
  if (builtin !== undefined) return {kind: 'builtin', load: () => builtin.load()}
  const named = resolve(options.from, spec)
  if (await isFile(named)) return {kind: 'file', path: await fileAt(spec, named)}
  if (spec === '')
    throw unloadable(spec, 'has an empty name', ['Name a file, a package, or a built-in processor.'])

  const places = [options.from, ...(options.also ?? []), OWN_ROOT]
  for (const place of places) {
    const found = await findPackage(spec, place)
    if (found !== null) return {kind: 'file', path: await fileAt(spec, found)}
  }
  throw await notFound(spec, places, options)
}

/** What can only be a path is never looked for as a package. */
function pathOf(spec: string, from: string): string | null {
  if (spec.startsWith('file:')) return URL.canParse(spec) ? fileURLToPath(spec) : null
  return /^\.{0,2}[/\\]/.test(spec) || /^\.{1,2}$/.test(spec) || isAbsolute(spec) ? resolve(from, spec) : null
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found?.isFile() ?? false
}

async function fileAt(spec: string, path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  if (found === null) throw await noSuchFile(spec, path)
  if (found.isDirectory()) return entryOfDirectory(spec, path)
  if (EXTENSIONS.includes(extname(path))) return path
  throw unloadable(spec, `is no ${inWords(EXTENSIONS.slice(0, 4))} file`, [
    `Any other program runs by --exec, once for each file: --exec '${launcher(path)}{path}'`,
  ])
}

const launcher = (path: string) =>
  path.endsWith('.py') ? `python3 ${basename(path)} ` : `./${basename(path)} `

async function noSuchFile(spec: string, path: string) {
  const siblings = await readdir(dirname(path)).catch(() => null)
  if (siblings === null) return unloadable(spec, 'is not there', [`There is no directory ${dirname(path)}.`])
  const meant = nearest(basename(path), siblings)
  return unloadable(spec, 'is not there', [
    ...(meant === null ? [] : [`Did you mean ${join(dirname(spec), meant).replace(/^(?![./])/, './')}?`]),
    `Looked for ${path}`,
  ])
}

async function notFound(spec: string, places: readonly string[], {builtins, from}: LoadOptions) {
  const installed = await Promise.all(
    places.slice(0, -1).map((place) => packagesIn(join(place, 'node_modules'))),
  )
  const files = await readdir(from).catch(() => [])
  const meant = nearest(spec, [...(builtins?.keys() ?? []), ...installed.flat()])
  const file = nearest(
    spec,
    files.filter((name) => EXTENSIONS.includes(extname(name))),
  )
  return unloadable(spec, 'is neither a file nor an installed package nor a built-in processor', [
    ...(meant === null ? [] : [`Did you mean ${meant}?`]),
    ...(file === null ? [] : [`A file is named with its path: --plugin ./${file}`]),
    ...(builtins === undefined || builtins.size === 0 ? [] : [`Built in: ${inWords([...builtins.keys()])}`]),
    `A package is installed by \`npm install\` in the working directory, or by \`streamtool plugins install\`. Looked in ${inWords(places.map((place) => join(place, 'node_modules')))}.`,
  ])
}

async function packagesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  const scoped = names.filter((name) => name.startsWith('@'))
  const inScopes = await Promise.all(
    scoped.map(async (scope) =>
      (await readdir(join(directory, scope)).catch(() => [])).map((name) => `${scope}/${name}`),
    ),
  )
  return [...names.filter((name) => !/^[.@]/.test(name)), ...inScopes.flat()]
}
