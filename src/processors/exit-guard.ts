/**
 * `process.exit()` in a plugin would end the run in the middle of all other files, with a code of its own and no word of
 * what became of them. While a guard stands, the plugin that calls it gets an exception instead, which fails what it was
 * called for; a process of its own (`--isolate process`) is the place where it may exit.
 */
import {syncBuiltinESMExports} from 'node:module'

/** What `process.exit()` throws in a plugin. */
export class RefusedExit extends Error {
  /** An attempt has failed with it, so whoever meets it again need not say so. */
  isTold = false

  constructor(code: unknown, calledBy: (...args: never[]) => unknown) {
    super(`it called process.exit(${typeof code === 'number' ? code : ''}) and should have thrown an error`)
    const {stackTraceLimit} = Error
    // It begins in the plugin, or in a package far below it, and tells whose exit it is.
    Error.stackTraceLimit = Infinity
    Error.captureStackTrace(this, calledBy)
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** @returns whether the exit is one of its plugin, and refused */
export type ExitGuard = (exit: RefusedExit) => boolean

const guards = new Set<ExitGuard>()
let takenDown: (() => void) | null = null

/** @returns takes the guard away */
export function guardExits(guard: ExitGuard): () => void {
  guards.add(guard)
  takenDown ??= replaceExit()
  return () => {
    guards.delete(guard)
    if (guards.size > 0) return
    takenDown?.()
    takenDown = null
  }
}

function replaceExit(): () => void {
  const original = Reflect.get(process, 'exit')
  const guarded: typeof process.exit = (code) => {
    const refused = new RefusedExit(code, guarded)
    if ([...guards].some((guard) => guard(refused))) throw refused
    return original.call(process, code)
  }
  put(guarded)
  return () => {
    if (Reflect.get(process, 'exit') === guarded) put(original)
  }
}

function put(exit: typeof process.exit): void {
  process.exit = exit
  // For who imports { exit } from node:process.
  syncBuiltinESMExports()
}
