/** Open descriptors of files that are worked on now and then: thousands of files, a bounded number open. */
import {Semaphore} from '../../core/flow/index.js'
import {calls} from '../system/calls.js'
import {isStale} from '../system/storage-error.js'

interface Open {
  readonly descriptor: Promise<number>
  users: number
  /** Its descriptor is good for nothing any more, and is closed after its last user. */
  isDropped: boolean
}

/** Whatever can be opened again at any time and be where it was. */
export interface Reopenable {
  open(): Promise<number>
}

export class DescriptorPool {
  /** In order of use, least recently first. */
  private readonly open = new Map<Reopenable, Open>()

  /** Files used at the same time: one fetch answer can begin thousands. */
  private readonly places: Semaphore

  /** @param capacity how many stay open when nobody uses them, and how many are used at once */
  constructor(private readonly capacity: number) {
    this.places = new Semaphore(capacity)
  }

  get openCount(): number {
    return this.open.size
  }

  /** Opens the file if it is not open. The descriptor stays open until `use` has ended, and usually longer. */
  use<T>(file: Reopenable, use: (descriptor: number) => Promise<T>): Promise<T> {
    return this.places.run(() => this.useNow(file, use))
  }

  private async useNow<T>(file: Reopenable, use: (descriptor: number) => Promise<T>): Promise<T> {
    const entry = this.entryOf(file)
    entry.users += 1
    try {
      const descriptor = await this.opened(file, entry)
      const evicted = this.evict()
      const result = await use(descriptor)
      await evicted
      return result
    } catch (thrown) {
      if (isStale(thrown) && this.open.get(file) === entry) {
        this.open.delete(file)
        entry.isDropped = true
      }
      throw thrown
    } finally {
      entry.users -= 1
      if (entry.users === 0 && entry.isDropped) await closeQuietly(entry)
    }
  }

  /** Does nothing when the file is not open. Nobody may be using it. */
  async close(file: Reopenable): Promise<void> {
    const entry = this.open.get(file)
    if (!entry) return
    this.open.delete(file)
    await calls.close(await entry.descriptor)
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.open.keys()].map((file) => this.close(file)))
  }

  private entryOf(file: Reopenable): Open {
    const entry = this.open.get(file) ?? {descriptor: file.open(), users: 0, isDropped: false}
    this.open.delete(file)
    this.open.set(file, entry)
    return entry
  }

  private async opened(file: Reopenable, entry: Open): Promise<number> {
    try {
      return await entry.descriptor
    } catch (thrown) {
      if (this.open.get(file) === entry) this.open.delete(file)
      throw thrown
    }
  }

  private async evict(): Promise<void> {
    for (const [file, {users}] of this.open) {
      if (this.open.size <= this.capacity) return
      if (users === 0) await this.close(file)
    }
  }
}

async function closeQuietly({descriptor}: Open): Promise<void> {
  await descriptor.then(calls.close).catch(() => undefined)
}
