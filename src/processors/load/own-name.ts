/**
 * `import 'streamtool'` in a plugin means the streamtool that runs, also when it is installed globally and the plugin
 * has no node_modules, and also when it has another version there: errors and types are then of one family.
 *
 * Node 22.15 and later resolve both `import` and `require` through one hook in this thread. Before that, hooks for
 * `import` run in a thread of their own, and `require` has none (docs/decisions/0024).
 */
import {readFileSync} from 'node:fs'
import module from 'node:module'
import {dirname, join} from 'node:path'
import {fileURLToPath, pathToFileURL} from 'node:url'

/** Where streamtool's own package.json is. */
export const OWN_ROOT = dirname(fileURLToPath(new URL('../../../package.json', import.meta.url)))

/** `streamtool/testing` -> the file that package.json says it is. */
export function ownExports(): ReadonlyMap<string, string> {
  const manifest = JSON.parse(readFileSync(join(OWN_ROOT, 'package.json'), 'utf8')) as {
    readonly name: string
    readonly exports: Readonly<Record<string, string | {readonly default: string}>>
  }
  return new Map(
    Object.entries(manifest.exports).map(([subpath, target]) => [
      join(manifest.name, subpath).replaceAll('\\', '/'),
      join(OWN_ROOT, typeof target === 'string' ? target : target.default),
    ]),
  )
}

let isDone = false

/** From now on, and once for the whole process. */
export function resolveOwnName(): void {
  if (isDone) return
  isDone = true
  const paths = ownExports()
  const urls = Object.fromEntries([...paths].map(([name, path]) => [name, pathToFileURL(path).href]))
  if (hasHooksInThread(module)) {
    module.registerHooks({
      resolve: (specifier, context, next) => {
        const url = urls[specifier]
        return url === undefined ? next(specifier, context) : {url, shortCircuit: true}
      },
    })
    return
  }
  // As text, since the other thread must be able to load it wherever this file came from.
  const hooks = `const urls = ${JSON.stringify(urls)}
export const resolve = async (specifier, context, next) =>
  Object.hasOwn(urls, specifier) ? {url: urls[specifier], shortCircuit: true} : next(specifier, context)`
  module.register(`data:text/javascript,${encodeURIComponent(hooks)}`)
  resolveRequired(paths)
}

/** The one way there is for `require` before Node 22.15; it looks at nothing but our own names. */
function resolveRequired(paths: ReadonlyMap<string, string>): void {
  const internals = module as unknown as {_resolveFilename: (request: string, ...rest: unknown[]) => string}
  const resolveAsBefore = internals._resolveFilename
  internals._resolveFilename = (request, ...rest) =>
    paths.get(request) ?? resolveAsBefore.call(module, request, ...rest)
}

/** Newer than the types that this is compiled with. */
interface HooksInThread {
  registerHooks(hooks: {
    resolve: (
      specifier: string,
      context: unknown,
      next: (specifier: string, context: unknown) => unknown,
    ) => unknown
  }): void
}

const hasHooksInThread = (from: object): from is HooksInThread => 'registerHooks' in from

/** For loaders that take a table of names. */
export const ownAliases = (): Record<string, string> =>
  Object.fromEntries([...ownExports()].sort(([a], [b]) => b.length - a.length))
