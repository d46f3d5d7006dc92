/**
 * Large buffers of one size that are used again. Fresh ones are not cheap: V8 answers every few of their megabytes with
 * a collection of all garbage, and the system with a page fault for every four of their kilobytes.
 *
 * Whoever gives a buffer back must be the last to hold it. One that somebody may still be reading, such as a request
 * that was given up, is not given back: it is garbage then, as any other buffer would be.
 */
export class BufferPool {
  private readonly free: Buffer[] = []

  /** @param mostFree so many are kept for the next to come */
  constructor(
    readonly bufferBytes: number,
    private readonly mostFree: number,
  ) {}

  /** Holds what it held before. */
  take(): Buffer {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(this.bufferBytes)
  }

  give(buffer: Buffer): void {
    if (this.free.length < this.mostFree) this.free.push(buffer)
  }
}
