/** A file on its way to its final name: once sealed it is on the disk, complete, with its own modification time. */
import {StreamtoolError} from '../../core/errors.js'
import {calls, OpenFlags, writeFully, writesAreSynced} from '../system/calls.js'
import {naming, storageError} from '../system/storage-error.js'
import {PooledFile} from './pooled-file.js'

/**
 * So much may wait for the disk behind a writer: then writing it out begins, beside what goes on, and the sync at
 * the end of a large file does not find all of it still to do.
 */
const WRITE_OUT_BYTES = 32 * 1024 * 1024

export class PartialFile extends PooledFile {
  private writtenOutAt = 0
  private writingOut: Promise<void> | null = null
  private failure: Error | null = null

  override async append(data: Buffer): Promise<number> {
    const position = await super.append(data)
    if (this.writingOut === null && this.sizeBytes - this.writtenOutAt >= WRITE_OUT_BYTES) {
      this.writtenOutAt = this.sizeBytes
      // What fails here fails again at the end, or is remembered until then.
      this.writingOut = this.writeOut()
        .catch(() => undefined)
        .finally(() => {
          this.writingOut = null
        })
    }
    return position
  }

  /** All of a small file at once, sealed: as few calls as can be, since each is a trip to another thread. */
  async writeWhole(data: Buffer, mtimeMs: number | null): Promise<void> {
    await naming('write', this.path, async () => {
      const descriptor = await calls.open(this.path, OpenFlags.createNewSynced, this.mode)
      this.isCreated = true
      try {
        await writeFully(descriptor, data, 0)
        if (isTime(mtimeMs)) await calls.futimes(descriptor, mtimeMs / 1000)
        if (!writesAreSynced) await calls.fdatasync(descriptor)
      } finally {
        await calls.close(descriptor)
      }
    })
    this.size = data.length
  }

  /**
   * Puts the content on the disk and closes the descriptor. Makes the file if nothing was written.
   * Safe to repeat.
   * @throws STORAGE_FAILED when the disk did not take it. Then the file is worthless, and another call throws the same:
   *   the system forgets what it could not write, and answers the next sync with success
   */
  async seal(mtimeMs: number | null): Promise<void> {
    await naming('write', this.path, async () => {
      if (isTime(mtimeMs)) {
        await this.pool.use(this, (descriptor) => calls.futimes(descriptor, mtimeMs / 1000))
      }
      await this.writingOut
      await this.writeOut()
      if (this.failure !== null) throw this.failure
      await this.pool.close(this)
    })
  }

  override async remove(): Promise<void> {
    await this.writingOut
    await super.remove()
  }

  private async writeOut(): Promise<void> {
    await this.pool.use(this, (descriptor) =>
      calls.fdatasync(descriptor).catch((thrown: unknown) => {
        this.failure ??= forgotten(storageError(thrown, 'put on the disk', this.path))
      }),
    )
  }
}

/** Not STORAGE_FULL, which would be waited out and tried again: there is nothing left to try it with. */
function forgotten(error: Error): Error {
  if (!(error instanceof StreamtoolError) || error.code !== 'STORAGE_FULL') return error
  const {message, facts, suggestions} = error
  return new StreamtoolError('STORAGE_FAILED', message, {facts, suggestions, cause: error})
}

/** What Date can hold: times come from anybody. */
function isTime(mtimeMs: number | null): mtimeMs is number {
  return mtimeMs !== null && Math.abs(mtimeMs) <= 8.64e15
}
