/**
 * Group commit: one fsync makes durable everything that was done before it began, so while one runs, all who ask
 * meanwhile share the next.
 *
 * @returns a function that resolves once a run of `sync` which began after the call has ended, and rejects as it does
 */
export function coalesce(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  let next: Promise<void> | null = null

  const begin = (): Promise<void> => {
    running = sync().finally(() => {
      running = null
    })
    return running
  }

  return () => {
    if (running === null) return begin()
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = null
        return begin()
      })
    return next
  }
}
