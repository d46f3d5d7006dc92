/** `--keep-files`: a file that was processed stays in the output directory, as if it had been delivered there. */
import {lstat} from 'node:fs/promises'
import path from 'node:path'
import {StreamtoolError} from '../../../core/errors.js'
import type {StepObserver} from '../../../core/ports/index.js'
import {calls, OpenFlags} from '../../system/calls.js'
import {naming} from '../../system/storage-error.js'
import type {Workspace} from '../workspace.js'
import {nullIfGone} from './local-copy.js'

export interface Keeping {
  readonly workspace: Workspace
  readonly whenStorageAllows: <T>(work: () => Promise<T>) => Promise<T>
  readonly steps: StepObserver
  readonly mtimeMs: number | null
}

/** Makes its directory. @throws FILE_NAME_CONFLICT when it could not be moved there */
export async function requireFreePlace(workspace: Workspace, components: readonly string[]): Promise<void> {
  const {path: parent} = await workspace.tree.directory(components.slice(0, -1))
  const target = path.join(parent, components.at(-1) ?? '')
  const present = await naming('read', target, () => lstat(target).catch(nullIfGone))
  if (present?.isDirectory())
    throw new StreamtoolError('FILE_NAME_CONFLICT', `Cannot keep ${target}: a directory has this name.`, {
      facts: {path: target},
      suggestions: ['Move the directory away, or choose another output directory.'],
    })
}

/** One that was taken away is not kept. */
export async function keepStagedFile(
  staged: string,
  components: readonly string[],
  {workspace, whenStorageAllows, steps, mtimeMs}: Keeping,
): Promise<void> {
  let isDone = false
  await whenStorageAllows(async () => {
    const present = await naming('read', staged, () => lstat(staged).catch(nullIfGone))
    // After a failure that came behind the rename it is not there any more, and the directory still to be synced.
    if (!isDone && !present?.isFile()) return
    const directory = await workspace.tree.directory(components.slice(0, -1))
    const target = path.join(directory.path, components.at(-1) ?? '')
    if (!isDone) {
      await naming('write', staged, () => putOnDisk(staged, mtimeMs))
      steps.reached('before-rename')
      await naming('write', target, () => calls.rename(staged, target)).catch((thrown: unknown) => {
        // Somebody may have removed its directory since it was looked at.
        workspace.tree.forgetDirectories()
        throw thrown
      })
      steps.reached('after-rename')
      isDone = true
    }
    await directory.sync()
  })
}

async function putOnDisk(location: string, mtimeMs: number | null): Promise<void> {
  const descriptor = await calls.open(location, OpenFlags.readWrite)
  try {
    // What Date can hold: times come from anybody.
    if (mtimeMs !== null && Math.abs(mtimeMs) <= 8.64e15) await calls.futimes(descriptor, mtimeMs / 1000)
    await calls.fdatasync(descriptor)
  } finally {
    await calls.close(descriptor)
  }
}
