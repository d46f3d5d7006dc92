/**
 * What installed plugins import as `streamtool`: a package of a few lines in the directory that npm installs them into,
 * which hands on what the running streamtool exports. So a plugin shares its classes and errors with the command that
 * runs it, npm checks a plugin's peer dependency against the version that is there, and nothing is fetched for it.
 *
 *     <data directory>/package.json            dependencies: {streamtool: file:./stand-in}
 *     <data directory>/stand-in/package.json   version and exports of the running streamtool, and where it is
 *     <data directory>/stand-in/cli.js         export * from '<where it is>/dist/cli/public.js'
 */
import {mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs'
import {homedir} from 'node:os'
import {basename, join} from 'node:path'
import {fileURLToPath, pathToFileURL} from 'node:url'

const DIRECTORY = 'stand-in'

/** The package that this file belongs to. */
export const packageRoot = fileURLToPath(new URL('../../..', import.meta.url))

/** Where oclif keeps installed plugins; needed before oclif can be asked, as it loads them at once. */
export function dataDirectory(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const said = env['STREAMTOOL_DATA_DIR']
  if (said) return said
  const local = platform === 'win32' ? env['LOCALAPPDATA'] : undefined
  const base = env['XDG_DATA_HOME'] || local || join(env['HOME'] || homedir(), '.local', 'share')
  return join(base, 'streamtool')
}

/** Makes the stand-in and has npm know of it. */
export function offerStandIn(dataDir: string, root: string): void {
  mkdirSync(join(dataDir, DIRECTORY), {recursive: true})
  writeStandIn(dataDir, root)
  const path = join(dataDir, 'package.json')
  const manifest = readJson(path) ?? {private: true, oclif: {schema: 1, plugins: []}}
  const dependencies = {
    ...(manifest['dependencies'] as object | undefined),
    streamtool: `file:./${DIRECTORY}`,
  }
  // Named like its dependency, it could not depend on it.
  writeAtOnce(path, jsonText({...manifest, name: 'streamtool-plugins', dependencies}))
}

/** After an update or a move of streamtool the stand-in is of another one. Without plugins there is none. */
export function refreshStandIn(dataDir: string, root: string): void {
  const found = readText(join(dataDir, DIRECTORY, 'package.json'))
  if (found === null || found === standInManifest(root).text) return
  try {
    writeStandIn(dataDir, root)
  } catch {
    // Not ours to write: then plugins work with the streamtool that installed them.
  }
}

function writeStandIn(dataDir: string, root: string): void {
  const {text, modules} = standInManifest(root)
  for (const {file, target} of modules) {
    const from = pathToFileURL(join(root, target)).href
    writeAtOnce(join(dataDir, DIRECTORY, file), `export * from ${JSON.stringify(from)}\n`)
  }
  writeAtOnce(join(dataDir, DIRECTORY, 'package.json'), text)
}

function standInManifest(root: string) {
  const {version, exports} = readJson(join(root, 'package.json')) as {
    version: string
    exports: Record<string, string | {default: string}>
  }
  const modules = Object.entries(exports).flatMap(([subpath, target]) =>
    typeof target === 'string'
      ? []
      : [{subpath, file: subpath === '.' ? 'index.js' : `${basename(subpath)}.js`, target: target.default}],
  )
  const text = jsonText({
    name: 'streamtool',
    version,
    private: true,
    description: `Stands in for ${root}`,
    type: 'module',
    exports: Object.fromEntries(modules.map(({subpath, file}) => [subpath, `./${file}`])),
  })
  return {text, modules}
}

const jsonText = (value: object) => `${JSON.stringify(value, null, 2)}\n`

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function readJson(path: string): Record<string, unknown> | null {
  const text = readText(path)
  return text === null ? null : (JSON.parse(text) as Record<string, unknown>)
}

/** Others may be reading it. */
function writeAtOnce(path: string, text: string): void {
  const partial = `${path}.${process.pid}`
  writeFileSync(partial, text)
  renameSync(partial, path)
}
