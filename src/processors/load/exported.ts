/** Which of a module's exports is the processor. */
import type {Processor} from '../contract.js'
import {missingExport, SKELETON, unloadable} from './unloadable.js'

type Bag = Readonly<Record<string, unknown>>

/**
 * @returns undefined when the module exports nothing at all
 * @throws PLUGIN_UNLOADABLE when what it exports is no object with members
 */
export function exportedProcessor(spec: string, module: unknown): Processor | undefined {
  const candidate = chosen(module)
  if (candidate === undefined) {
    const names = isObject(module) ? Object.keys(module).filter((name) => name !== 'module.exports') : []
    if (names.length === 0) return undefined
    throw missingExport(spec, names)
  }
  const wrong = whatElse(candidate)
  if (wrong !== null) throw unloadable(spec, `exports ${wrong.what}, and not an object`, [wrong.instead])
  return candidate as Processor
}

function chosen(module: unknown): unknown {
  // jiti hands over `module.exports` itself, Node a namespace that has it as its default.
  if (!isObject(module) || !isNamespace(module)) return isEmpty(module) ? undefined : module
  // A CommonJS file that was compiled from `export default` has it one level deeper.
  const found = module['default']
  const exported = isObject(found) && found['__esModule'] === true ? found['default'] : found
  if (isObject(exported) && isObject(exported['processor']) && !('name' in exported))
    return exported['processor']
  if (exported !== undefined && !isEmpty(exported)) return exported
  return module['processor'] ?? exportedByName(found)
}

const exportedByName = (found: unknown) => (isObject(found) ? found['processor'] : undefined)

const isObject = (value: unknown): value is Bag => typeof value === 'object' && value !== null

const isNamespace = (module: Bag) =>
  Object.prototype.toString.call(module) === '[object Module]' ||
  module['__esModule'] === true ||
  'default' in module

/** `module.exports` of a file that never set it. */
const isEmpty = (value: unknown) =>
  isObject(value) &&
  Object.getPrototypeOf(value) === Object.prototype &&
  Object.keys(value).filter((name) => name !== '__esModule').length === 0

function whatElse(value: unknown): {what: string; instead: string} | null {
  if (typeof value === 'function') {
    return /^class\b/.test(Function.prototype.toString.call(value))
      ? {
          what: 'a class',
          instead: `Export an object: ${SKELETON}; or an instance: export default new ${named(value.name)}()`,
        }
      : {what: 'a function', instead: `Put it into an object, as its \`process\`: ${SKELETON}`}
  }
  if (value instanceof Promise)
    return {what: 'a promise', instead: 'Await it: export default await …; or do what takes time in `setup`.'}
  if (Array.isArray(value)) return {what: 'an array', instead: 'Export one processor a file.'}
  if (!isObject(value))
    return {what: value === null ? 'null' : `a ${typeof value}`, instead: `Write: ${SKELETON}`}
  return null
}

const named = (name: string) => (name === '' || name === 'default' ? 'MyProcessor' : name)
