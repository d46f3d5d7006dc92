/** Spill files in a local directory: one per assembly, open only at need. */
import {mkdir} from 'node:fs/promises'
import path from 'node:path'
import type {SpillFile, SpillStore} from '../../core/ports/index.js'
import {takeSlot} from '../system/slot.js'
import {naming} from '../system/storage-error.js'
import {DescriptorPool} from './descriptor-pool.js'
import {PooledFile} from './pooled-file.js'

const OPEN_DESCRIPTORS = 64

/**
 * Makes the directory, takes a part of it for this process, and removes what dead processes left in theirs.
 * @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED
 */
export async function createSpillStore(directory: string): Promise<SpillStore & {close(): Promise<void>}> {
  await naming('create', directory, () => mkdir(directory, {recursive: true, mode: 0o700}))
  const slot = await takeSlot(directory)
  const descriptors = new DescriptorPool(OPEN_DESCRIPTORS)
  let count = 0

  return {
    async create() {
      count += 1
      return spillFile(new PooledFile(path.join(slot.directory, `${count}.spill`), descriptors, 0o600))
    },

    async close() {
      await descriptors.closeAll()
      await slot.release()
    },
  }
}

function spillFile(file: PooledFile): SpillFile {
  // Whoever appends need not await one call before the next, so positions are given out in turn.
  let last: Promise<unknown> = Promise.resolve()
  return {
    append(data) {
      const appended = last.then(() => file.append(data))
      last = appended.catch(() => undefined)
      return appended
    },
    read: (position, byteLength) => file.read(position, byteLength),
    async close() {
      await last
      await file.remove()
    },
  }
}
