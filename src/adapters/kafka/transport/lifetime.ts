import type {TransportFailure} from './failures.js'

/** Something that ends once, with a reason, and tells all who wait for something from it. */
export class Lifetime {
  readonly #waiting = new Set<(failure: TransportFailure) => void>()
  #failure: TransportFailure | null = null

  /** Null while it lasts. */
  get failure(): TransportFailure | null {
    return this.#failure
  }

  /** @returns false when it had ended before */
  end(failure: TransportFailure): boolean {
    if (this.#failure !== null) return false
    this.#failure = failure
    for (const reject of [...this.#waiting]) reject(failure)
    this.#waiting.clear()
    return true
  }

  /** The promise, or the end, or the signal's reason: whichever comes first. */
  within<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#failure !== null) {
      promise.catch(() => undefined)
      return Promise.reject(this.#failure)
    }
    return new Promise<T>((resolve, reject) => {
      const aborted = () => reject(signal?.reason as Error)
      if (signal?.aborted === true) aborted()
      this.#waiting.add(reject)
      signal?.addEventListener('abort', aborted, {once: true})
      promise.then(resolve, reject).finally(() => {
        this.#waiting.delete(reject)
        signal?.removeEventListener('abort', aborted)
      })
    })
  }
}
