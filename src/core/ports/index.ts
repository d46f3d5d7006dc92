/**
 * What the core and the pipelines need of the world. Each port has one contract suite in test/contract/ that
 * runs on each of its adapters.
 *
 * Common to all: long calls take an AbortSignal and reject with its reason; errors are of the StreamtoolError
 * family; whatever is opened is closed by whoever opened it.
 */
export type * from '../record.js'
export type * from './consuming.js'
export type * from './destinations.js'
export type * from './file-sources.js'
export type * from './processing.js'
export type * from './producing.js'
export type * from './reading.js'
export type * from './running.js'
export type * from './staging.js'
export type * from './tables.js'
export * from './surroundings.js'
export type * from './topics.js'
export * from './watching.js'
