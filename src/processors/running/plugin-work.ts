/**
 * Which plugin code is running, and for which attempt: an error that comes out of a timer or an event emitter, where
 * nobody awaits it, is known by the asynchronous context that it began in.
 */
import {AsyncLocalStorage} from 'node:async_hooks'

/** Whatever late errors are told to. */
export interface PluginWork {
  /** The host whose plugin it is. */
  readonly owner: object
  /** Fails the attempt; false when there is none, or none any more. */
  fail(thrown: unknown): boolean
}

const running = new AsyncLocalStorage<PluginWork | null>()

/** All that the call does later belongs to the work, too. */
export const asPlugin = <T>(work: PluginWork, call: () => T): T => running.run(work, call)

/** For what a plugin asks of us: connections that are opened on the way are not its own. */
export const asOurselves = <T>(call: () => T): T => running.run(null, call)

export const currentWork = (): PluginWork | null => running.getStore() ?? null
