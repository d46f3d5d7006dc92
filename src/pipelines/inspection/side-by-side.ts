import {setMaxListeners} from 'node:events'

/**
 * Works through a list, a few items at a time. The first failure stops the others.
 * @throws it, when all have stopped
 */
export async function sideBySide<Item>(
  items: Iterable<Item>,
  atOnce: number,
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  // Each of those who work listens more than once.
  setMaxListeners(0, stop)
  const queue = items[Symbol.iterator]()
  const worker = async () => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      stop.throwIfAborted()
      await work(next.value, stop)
    }
  }
  const workers = Array.from({length: atOnce}, () =>
    worker().catch((error: unknown) => {
      failed.abort(error)
      throw error
    }),
  )
  await Promise.allSettled(workers)
  stop.throwIfAborted()
}
