/**
 * From what a user wrote after `--plugin` to a processor that can be called.
 *
 *     spec -> locate   a path, a built-in name, or a package: the working directory's, those that were installed as
 *                      plugins, streamtool's own
 *          -> import   by Node itself; by jiti what is TypeScript, or ESM in a package that does not say so
 *          -> choose   the default export, module.exports, an export named `processor`, or what `runProcessor` was given
 *          -> check    every member and every flag, so that no mistake waits until the first file
 *
 * Whatever is wrong is PLUGIN_UNLOADABLE, says what it is called, and what to write instead; so is a module that exits,
 * or whose members throw when they are looked at. Files, packages and flags of a plugin may `import 'streamtool'`
 * wherever they are: it is the streamtool that runs (own-name.ts).
 */
import {StreamtoolError} from '../../core/errors.js'
import type {Processor} from '../contract.js'
import {guardExits} from '../exit-guard.js'
import {noteOrigin} from '../origin.js'
import {registeredProcessor} from '../registered.js'
import {frames, messageOf} from '../stack.js'
import {checkProcessor} from './check.js'
import {exportedProcessor} from './exported.js'
import {importFile} from './import-file.js'
import {locate} from './locate.js'
import type {LoadOptions} from './options.js'
import {missingExport, unloadable} from './unloadable.js'

export type {Builtins, LoadOptions} from './options.js'

/** A module whose top-level `await` never ends would otherwise end the program without a word. */
const LOAD_LIMIT_MS = 60_000

/** @throws PLUGIN_UNLOADABLE */
export async function loadProcessor(spec: string, options: LoadOptions): Promise<Processor> {
  const located = await locate(spec, options)
  const processor = located.kind === 'builtin' ? await located.load() : await loadFile(spec, located.path)
  lookedAt(spec, () => checkProcessor(spec, processor, options))
  return processor
}

async function loadFile(spec: string, path: string): Promise<Processor> {
  // A plugin that is the program itself is being evaluated just now, and cannot be imported a second time.
  const processor =
    registeredProcessor(path) ?? (await importProcessor(spec, path)) ?? registeredProcessor(path)
  if (processor === undefined) throw missingExport(spec)
  noteOrigin(processor, path)
  return processor
}

async function importProcessor(spec: string, path: string): Promise<Processor | undefined> {
  const stopGuarding = guardExits(() => true)
  try {
    const module = await withinLimit(spec, importFile(spec, path))
    return lookedAt(spec, () => exportedProcessor(spec, module))
  } finally {
    stopGuarding()
  }
}

/** Getters and proxies are code of the plugin. */
function lookedAt<T>(spec: string, look: () => T): T {
  try {
    return look()
  } catch (thrown) {
    if (thrown instanceof StreamtoolError && thrown.code === 'PLUGIN_UNLOADABLE') throw thrown
    const what = `threw when its members were looked at: ${messageOf(thrown)}`
    throw unloadable(spec, what, [...frames(thrown, 1), 'Write its members as plain values.'], thrown)
  }
}

async function withinLimit<T>(spec: string, loading: Promise<T>): Promise<T> {
  let limit: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_, reject) => {
    limit = setTimeout(() => {
      const what = `has not finished loading after ${LOAD_LIMIT_MS / 1000} s`
      reject(unloadable(spec, what, ['An `await` at its top level does not end: move it into `setup`.']))
    }, LOAD_LIMIT_MS)
  })
  try {
    return await Promise.race([loading, tooLong])
  } finally {
    clearTimeout(limit)
  }
}
