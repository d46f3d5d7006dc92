/**
 * Bounds on what is under way. Everything that takes memory or a place in a queue is counted here before it is
 * begun, and given back on every way out; a count that does not return to zero is a bug that a property test
 * looks for. Waiting is first come, first served, and ends when the signal aborts.
 */
export {AdaptiveLimit} from './adaptive-limit.js'
export {abortable, isAborted} from './abort.js'
export {awaitedWithin} from './awaited-within.js'
export {type BackOff, pauseAfter, spread} from './back-off.js'
export {firstBatch, REQUESTS_IN_FLIGHT} from './batch.js'
export {Batcher} from './batcher.js'
export {BufferPool} from './buffer-pool.js'
export {Gauge} from './gauge.js'
export {type Failing, type OutageWatch, waitOut, type WhenItAllows} from './outage.js'
export {RecentKeys} from './recent-keys.js'
export {Semaphore} from './semaphore.js'
export {Turns} from './turns.js'
