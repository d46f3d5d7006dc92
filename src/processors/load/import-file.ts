/** Importing a plugin's file: by Node, and by jiti what Node would not take. */
import {readFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {importFailure} from './import-failure.js'
import {ownAliases, resolveOwnName} from './own-name.js'

/**
 * @returns the module's namespace
 * @throws PLUGIN_UNLOADABLE with what the plugin threw
 */
export async function importFile(spec: string, path: string): Promise<unknown> {
  resolveOwnName()
  try {
    return (await isForNode(path)) ? await importByNode(path) : await importByJiti(path)
  } catch (error) {
    throw await importFailure(spec, path, error)
  }
}

async function importByNode(path: string): Promise<unknown> {
  try {
    return await import(/* @vite-ignore */ pathToFileURL(path).href)
  } catch (error) {
    // It imports TypeScript, or ESM from a package that does not say so.
    const isForJiti =
      (error as NodeJS.ErrnoException | null | undefined)?.code === 'ERR_UNKNOWN_FILE_EXTENSION' ||
      (error instanceof SyntaxError && ESM_IN_COMMONJS.test(error.message))
    if (isForJiti) return importByJiti(path)
    throw error
  }
}

const ESM_IN_COMMONJS = /outside a module|^Unexpected token 'export'/

async function importByJiti(path: string): Promise<unknown> {
  const {createJiti} = await import('jiti')
  // No cache of compiled code: it would lie in the common temporary directory, where others can write.
  const jiti = createJiti(path, {fsCache: false, interopDefault: false, alias: ownAliases()})
  return jiti.import(path)
}

async function isForNode(path: string): Promise<boolean> {
  if (/\.[cm]?ts$/.test(path)) return false
  if (!path.endsWith('.js')) return true
  const isEsm = /^\s*(import\b[^(]|export\b)/m.test(await readFile(path, 'utf8'))
  return !isEsm || (await packageType(dirname(path))) === 'module'
}

/** As Node finds it: of the nearest package.json, up to a node_modules. */
async function packageType(directory: string): Promise<string | null> {
  for (let at = directory; !at.endsWith('node_modules'); at = dirname(at)) {
    const text = await readFile(join(at, 'package.json'), 'utf8').catch(() => null)
    if (text !== null) return typeIn(text)
    if (dirname(at) === at) break
  }
  return null
}

/** What cannot be parsed is told by Node, when it imports. */
function typeIn(manifest: string): string | null {
  try {
    return (JSON.parse(manifest) as {type?: string}).type ?? null
  } catch {
    return null
  }
}
