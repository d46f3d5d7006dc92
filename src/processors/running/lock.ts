/** `context.lock`: one at a time over all attempts of a run. */
import {AsyncLocalStorage} from 'node:async_hooks'
import {Semaphore} from '../../core/flow/index.js'

export interface Lock {
  /** @returns gives it back. @throws the signal's reason, when it aborts while waiting */
  acquire(signal: AbortSignal): Promise<() => void>
}

/** For processors that run in this process. */
export class LocalLock implements Lock {
  private readonly turns = new Semaphore(1)

  acquire(signal: AbortSignal): Promise<() => void> {
    return this.turns.acquire(1, signal)
  }
}

interface Holding {
  isOver: boolean
}
const holding = new AsyncLocalStorage<Holding>()

/**
 * The lock is held until the work has ended, also when the attempt was given up meanwhile: two at once is what must not
 * be, whatever happens.
 */
export async function whileLocked<T>(
  lock: Lock,
  signal: AbortSignal,
  work: () => T | Promise<T>,
): Promise<T> {
  if (holding.getStore()?.isOver === false)
    throw new Error('context.lock was called inside of context.lock: it would wait for itself for ever')
  const release = await lock.acquire(signal)
  const held: Holding = {isOver: false}
  try {
    return await holding.run(held, work)
  } finally {
    held.isOver = true
    release()
  }
}
