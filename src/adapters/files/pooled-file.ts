/** A private file, written from its start to its end, readable everywhere, open only at need. */
import {calls, OpenFlags, readFully, writeFully} from '../system/calls.js'
import {naming} from '../system/storage-error.js'
import {unlinkIfThere} from '../system/whole-file.js'
import type {DescriptorPool, Reopenable} from './descriptor-pool.js'

export class PooledFile implements Reopenable {
  protected isCreated = false
  protected size = 0

  /** @param mode before the umask */
  constructor(
    readonly path: string,
    protected readonly pool: DescriptorPool,
    protected readonly mode: number,
  ) {}

  get sizeBytes(): number {
    return this.size
  }

  async open(): Promise<number> {
    if (this.isCreated) return calls.open(this.path, OpenFlags.readWrite)
    const descriptor = await calls.open(this.path, OpenFlags.createNew, this.mode)
    this.isCreated = true
    return descriptor
  }

  /**
   * Safe to repeat when it failed. One call at a time.
   * @returns the position at which the data begins
   */
  async append(data: Buffer): Promise<number> {
    const position = this.size
    await naming('write', this.path, () =>
      this.pool.use(this, (descriptor) => writeFully(descriptor, data, position)),
    )
    this.size = position + data.length
    return position
  }

  async read(position: number, place: Buffer): Promise<void> {
    await naming('read', this.path, async () => {
      const count = await this.pool.use(this, (descriptor) => readFully(descriptor, place, position))
      if (count < place.length) throw Object.assign(new Error('it has become shorter'), {code: 'EIO'})
    })
  }

  async remove(): Promise<void> {
    await naming('remove', this.path, async () => {
      await this.pool.close(this)
      if (this.isCreated) await unlinkIfThere(this.path)
    })
  }
}
