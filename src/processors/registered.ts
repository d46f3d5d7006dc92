/**
 * What `runProcessor` was given, by the file that called it. Kept on the global object: the plugin may have found another
 * copy of streamtool than the one that runs.
 */
import {realpathSync} from 'node:fs'
import type {Processor} from './contract.js'

const REGISTRY = Symbol.for('streamtool.registered-processors')

function registry(): Map<string, Processor> {
  const holder = globalThis as unknown as Record<symbol, Map<string, Processor> | undefined>
  return (holder[REGISTRY] ??= new Map<string, Processor>())
}

/** @param path absolute */
export const registerProcessor = (path: string, processor: Processor) =>
  void registry().set(realpathSync(path), processor)

export const registeredProcessor = (path: string): Processor | undefined => registry().get(realpathSync(path))
