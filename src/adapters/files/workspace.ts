/**
 * An output directory with what this process has in it:
 *
 *     <root>/…                          delivered files, complete, and only those
 *     <root>/.streamtool/               0700; nothing from the wire gets in here
 *       partial/<slot>.<turn>.lock      which process has the slot
 *       partial/<slot>/*.part           files under construction
 *       index/<slot>/level-*.v1         which generations were delivered (delivered-index.ts)
 *
 * Partial files lie on the file system of their target, so that renaming is one step, and in a directory that only
 * their owner enters, so that they can have their final mode, group and ACL from the beginning.
 */
import {randomBytes} from 'node:crypto'
import {lstat, realpath} from 'node:fs/promises'
import path from 'node:path'
import type {Clock} from '../../core/ports/index.js'
import {takeSlot} from '../system/slot.js'
import {openStateDirectory} from '../system/state-directory.js'
import {naming} from '../system/storage-error.js'
import {DeliveredIndex} from './delivered-index.js'
import type {DescriptorPool} from './descriptor-pool.js'
import {OutputTree} from './output-tree.js'
import {PartialFile} from './partial-file.js'

export interface Workspace {
  /** Without symbolic links. */
  readonly root: string
  readonly tree: OutputTree
  readonly index: DeliveredIndex
  /** Aborted when another host took this process for dead: partial files may be gone, and the slot is another's. */
  readonly lost: AbortSignal
  newPartialFile(): PartialFile
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
): Promise<Workspace> {
  const state = await openStateDirectory(outputDirectory)
  const [root, stateStats] = await naming('read', outputDirectory, () =>
    Promise.all([realpath(outputDirectory), lstat(state, {bigint: true})]),
  )
  const slot = await takeSlot(path.join(state, 'partial'))
  const index = await DeliveredIndex.open(path.join(state, 'index'), slot.number, clock)
  // Should the slot be lost, its next holder must not get files of the same names.
  const session = randomBytes(6).toString('hex')
  let count = 0

  return {
    root,
    tree: new OutputTree(root, stateStats, clock),
    index,
    lost: slot.lost,
    newPartialFile() {
      count += 1
      return new PartialFile(path.join(slot.directory, `${session}-${count}.part`), descriptors, 0o666)
    },
    async close() {
      await index.close()
      await slot.release()
    },
  }
}
