/** Finding the entry file of an npm package, also of one that has nothing but ESM to offer. */
import {readFile, stat} from 'node:fs/promises'
import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import {fileURLToPath, pathToFileURL} from 'node:url'
import {unloadable} from './unloadable.js'

/**
 * @param place a directory; its node_modules and those above it are looked in
 * @returns the entry file, or null when the package is not installed there
 * @throws PLUGIN_UNLOADABLE when it is installed and has no entry that can be found
 */
export async function findPackage(spec: string, place: string): Promise<string | null> {
  const directory = await packageDirectory(spec, place)
  return directory === null ? null : entryOf(spec, spec, place, directory)
}

/** @throws PLUGIN_UNLOADABLE */
export async function entryOfDirectory(spec: string, directory: string): Promise<string> {
  const manifest = await readManifest(spec, directory)
  if (manifest === null)
    throw unloadable(spec, 'is a directory without a package.json', ['Name the file in it.'])
  // Only its own name reaches what a package exports.
  if (manifest['exports'] !== undefined && typeof manifest['name'] === 'string')
    return entryOf(spec, manifest['name'], directory, directory)
  try {
    return createRequire(join(directory, 'x.js')).resolve(directory)
  } catch (error) {
    throw withoutEntry(spec, directory, error)
  }
}

async function entryOf(spec: string, name: string, place: string, directory: string): Promise<string> {
  const {resolve} = await import('import-meta-resolve')
  const base = join(place, 'x.js')
  let found: string
  try {
    found = fileURLToPath(resolve(name, pathToFileURL(base).href))
  } catch (error) {
    found = asCommonJs(name, base) ?? refuse(spec, directory, error)
  }
  const entry = await stat(found).catch(() => null)
  if (entry === null) throw withoutEntry(spec, directory, new Error(`There is no ${found}`))
  return found
}

/** A package whose `exports` speak of `require` alone. */
function asCommonJs(name: string, base: string): string | null {
  try {
    return createRequire(base).resolve(name)
  } catch {
    return null
  }
}

function refuse(spec: string, directory: string, error: unknown): never {
  if (!(error instanceof Error) || !('code' in error)) throw error
  if (error.code === 'ERR_INVALID_PACKAGE_CONFIG' || error instanceof SyntaxError)
    throw unloadable(
      spec,
      `has a package.json that cannot be read: ${join(directory, 'package.json')}`,
      [],
      error,
    )
  if (error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')
    throw unloadable(
      spec,
      'does not export that path',
      [`See "exports" in ${join(directory, 'package.json')}.`],
      error,
    )
  throw withoutEntry(spec, directory, error)
}

function withoutEntry(spec: string, directory: string, error: unknown) {
  const reason = error instanceof Error ? error.message : String(error)
  return unloadable(
    spec,
    `is in ${directory}, but its entry file cannot be found`,
    [reason, 'Is it built? `npm run build` in it; "main" or "exports" of its package.json name the file.'],
    error,
  )
}

async function packageDirectory(spec: string, place: string): Promise<string | null> {
  const name = /^(@[^/\\]+\/)?[^/\\@][^/\\]*/.exec(spec)?.[0]
  if (name === undefined) return null
  for (let at = place; ; at = dirname(at)) {
    const directory = join(at, 'node_modules', name)
    const found = await stat(directory).catch(() => null)
    if (found?.isDirectory()) return directory
    if (dirname(at) === at) return null
  }
}

async function readManifest(spec: string, directory: string): Promise<Record<string, unknown> | null> {
  const path = join(directory, 'package.json')
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return null
  try {
    const manifest: unknown = JSON.parse(text)
    return typeof manifest === 'object' && manifest !== null ? (manifest as Record<string, unknown>) : {}
  } catch (error) {
    throw unloadable(spec, `has a package.json that cannot be read: ${path}`, [], error)
  }
}
