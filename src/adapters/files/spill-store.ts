/**
 * Spill files in a local directory: one per assembly, open only at need.
 *
 * They lie on the disk of the files that are being put together, so a full disk is waited out here as it is there. That
 * does not wait for itself: a chunk that has waited moves from here to there, so space that is free is never less for
 * what was not read.
 */
import {mkdir} from 'node:fs/promises'
import path from 'node:path'
import type {SpillFile, SpillStore} from '../../core/ports/index.js'
import {StreamtoolError} from '../../core/errors.js'
import {type Slot, takeSlot} from '../system/slot.js'
import {errno, naming} from '../system/storage-error.js'
import {DescriptorPool} from './descriptor-pool.js'
import {PooledFile} from './pooled-file.js'
import type {WhenStorageAllows} from './storage-outage.js'

const OPEN_DESCRIPTORS = 64
const NEVER = new AbortController().signal

export interface SpillStoreOptions {
  /** Trouble that can pass is waited out by this; without it, it fails the file. */
  readonly whenStorageAllows?: WhenStorageAllows
  /** Ends every wait for the storage. */
  readonly signal?: AbortSignal
}

/**
 * Makes the directory, takes a part of it for this process, and removes what dead processes left in theirs.
 * @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED
 */
export async function createSpillStore(
  directory: string,
  {whenStorageAllows = (work) => work(), signal: stop = NEVER}: SpillStoreOptions = {},
): Promise<SpillStore & {close(): Promise<void>}> {
  await naming('create', directory, () => mkdir(directory, {recursive: true, mode: 0o700}))
  const descriptors = new DescriptorPool(OPEN_DESCRIPTORS)
  let slot = await takeSlot(directory)
  let count = 0

  /** Somebody removed ours. The directory above it is not made here: it may be away, with all that is in it. */
  const takeAnother = async (removed: Slot): Promise<void> => {
    await naming('create', directory, () => mkdir(directory, {mode: 0o700}).catch(ignoreExisting))
    const taken = await takeSlot(directory)
    if (slot === removed) {
      slot = taken
      removed.abandon()
    } else await taken.release()
  }

  return {
    async create(signal = NEVER) {
      const used = slot
      const ends = (): AbortSignal => AbortSignal.any([signal, stop])
      count += 1
      const file = new PooledFile(path.join(used.directory, `${count}.spill`), descriptors, 0o600)
      return spillFile(file, async (work) => {
        try {
          return await whenStorageAllows(work, ends)
        } catch (thrown) {
          if (isGone(thrown) && slot === used) await whenStorageAllows(() => takeAnother(used), ends)
          throw thrown
        }
      })
    },

    async close() {
      // What a storage in trouble does not let us remove is removed by the next process.
      await descriptors.closeAll().catch(() => undefined)
      await slot.release().catch(() => undefined)
    },
  }
}

function spillFile(
  file: PooledFile,
  whenStorageAllows: <T>(work: () => Promise<T>) => Promise<T>,
): SpillFile {
  // Whoever appends need not await one call before the next, so positions are given out in turn.
  let last: Promise<unknown> = Promise.resolve()
  return {
    append(data) {
      const appended = last.then(() => whenStorageAllows(() => file.append(data)))
      last = appended.catch(() => undefined)
      return appended
    },
    read: (position, place) => whenStorageAllows(() => file.read(position, place)),
    async close() {
      await last
      await file.remove()
    },
  }
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof StreamtoolError && thrown.facts['errno'] === 'ENOENT'
}

function ignoreExisting(thrown: unknown): void {
  if (errno(thrown) !== 'EEXIST') throw thrown
}
