/**
 * `signal.aborted` read through a function: TypeScript takes a property it has seen false for false for ever,
 * also across an await.
 */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

/**
 * The promise, or a rejection with the signal's reason as soon as that aborts. What the promise does later is
 * ignored, so its work must be safe to abandon.
 */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined)
    throw signal.reason
  }
  let onAbort: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, {once: true})
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
    promise.catch(() => undefined)
  }
}
