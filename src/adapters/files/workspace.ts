/**
 * An output directory with what this process has in it:
 *
 *     <root>/…                          delivered files, complete, and only those
 *     <root>/.streamtool/               0700; nothing from the wire gets in here
 *       partial/<slot>.<turn>.lock      which process has the slot
 *       partial/<slot>/*.part           files under construction
 *       partial/<slot>/*.run            empty: by its name this run knows that the directory is the one it began with
 *       partial/<slot>/*.dir/           files that a processor works with, under their names (staging/)
 *       index/<slot>/level-*.v1         which generations were delivered (delivered-index.ts)
 *       processed/<slot>/level-*.v1     which were processed
 *
 * Partial files lie on the file system of their target, so that renaming is one step, and in a directory that only
 * their owner enters, so that they can have their final mode, group and ACL from the beginning.
 */
import {randomBytes} from 'node:crypto'
import {lstat, realpath} from 'node:fs/promises'
import path from 'node:path'
import type {StreamtoolError} from '../../core/errors.js'
import type {Clock} from '../../core/ports/index.js'
import {takeSlot} from '../system/slot.js'
import {openStateDirectory} from '../system/state-directory.js'
import {naming} from '../system/storage-error.js'
import {DeliveredIndex} from './delivered-index.js'
import type {DescriptorPool} from './descriptor-pool.js'
import {OutputTree} from './output-tree.js'
import {PartialFile} from './partial-file.js'
import {StorageCheck} from './storage-check.js'

/** Files are delivered to it, or only processed: one does not stand for the other. */
export type IndexName = 'index' | 'processed'

export interface Workspace {
  /** Without symbolic links. */
  readonly root: string
  readonly tree: OutputTree
  readonly index: DeliveredIndex
  /**
   * Aborted when another host took this process for dead, or somebody removed what is in `.streamtool`: partial files
   * may be gone, and the slot is another's.
   */
  readonly lost: AbortSignal
  readonly check: StorageCheck
  /** Shared by all files of this process. */
  readonly descriptors: DescriptorPool
  newPartialFile(): PartialFile
  /** Not there yet, and nobody else's; removed with all that is in it when this process is over. */
  newDirectory(): string
  /** Removes what partial files there are. */
  close(): Promise<void>
}

/**
 * Makes what is missing and removes what dead processes left.
 * @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED
 */
export async function openWorkspace(
  outputDirectory: string,
  descriptors: DescriptorPool,
  clock: Clock,
  indexName: IndexName = 'index',
): Promise<Workspace> {
  const state = await openStateDirectory(outputDirectory)
  const [root, stateStats] = await naming('read', outputDirectory, () =>
    Promise.all([realpath(outputDirectory), lstat(state, {bigint: true})]),
  )
  const slot = await takeSlot(path.join(state, 'partial'))
  const index = await DeliveredIndex.open(path.join(state, indexName), slot.number, clock)
  // Should the slot be lost, its next holder must not get files of the same names.
  const session = randomBytes(6).toString('hex')
  const removed = new AbortController()
  const check = await StorageCheck.begin({root, own: slot.directory, session}, (error: StreamtoolError) =>
    removed.abort(error),
  )
  let count = 0
  const newPath = (suffix: string): string => {
    count += 1
    return path.join(slot.directory, `${session}-${count}.${suffix}`)
  }

  return {
    root,
    tree: new OutputTree(root, stateStats, clock, () => check.requireThere()),
    index,
    lost: AbortSignal.any([slot.lost, removed.signal]),
    check,
    descriptors,
    newPartialFile: () => new PartialFile(newPath('part'), descriptors, 0o666),
    newDirectory: () => newPath('dir'),
    async close() {
      await index.close()
      if (removed.signal.aborted) slot.abandon()
      else await slot.release()
    },
  }
}

/**
 * A new place, instead of one that was lost.
 * @throws STORAGE_GONE rather than making the output directory anew
 */
export async function reopenWorkspace(
  lost: Workspace,
  descriptors: DescriptorPool,
  clock: Clock,
  indexName?: IndexName,
): Promise<Workspace> {
  await lost.check.requireSameRoot()
  return openWorkspace(lost.root, descriptors, clock, indexName)
}
