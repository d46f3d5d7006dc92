/** Pages of files, a bounded number of them in memory. */

interface Cached {
  readonly bytes: Promise<Buffer>
  users: number
}

export class PageCache {
  /** In order of use, least recently first. */
  private readonly pages = new Map<string, Cached>()

  constructor(
    private readonly capacity: number,
    private readonly load: (level: number, page: number) => Promise<Buffer>,
  ) {}

  /**
   * Runs the work with the page, which nobody replaces by another copy meanwhile: what is changed in it is seen by
   * all, so a page may be changed at once and written after.
   */
  async use<T>(level: number, page: number, work: (bytes: Buffer) => T | Promise<T>): Promise<T> {
    const key = `${level}:${page}`
    const cached = this.pages.get(key) ?? {bytes: this.load(level, page), users: 0}
    this.pages.delete(key)
    this.pages.set(key, cached)
    cached.users += 1
    this.evict()
    try {
      return await work(await this.loaded(key, cached))
    } finally {
      cached.users -= 1
    }
  }

  clear(): void {
    this.pages.clear()
  }

  private async loaded(key: string, cached: Cached): Promise<Buffer> {
    try {
      return await cached.bytes
    } catch (thrown) {
      if (this.pages.get(key) === cached) this.pages.delete(key)
      throw thrown
    }
  }

  private evict(): void {
    for (const [key, {users}] of this.pages) {
      if (this.pages.size <= this.capacity) return
      if (users === 0) this.pages.delete(key)
    }
  }
}
