/**
 * Whether an output directory is the one that this process began with, and can be written to.
 *
 * A directory that has vanished must not be made anew, and what is written must not go into the empty directory that
 * an unmounted file system leaves behind: it would fill another disk, and hide below the next mount. Device and inode
 * do not tell: both may differ after mounting the same file system again. So the process leaves a mark in its own
 * place in `.streamtool`, under a name that nobody else has, and looks for that.
 */
import {constants} from 'node:fs'
import {access, lstat, unlink, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import {errno, naming} from '../system/storage-error.js'

const IS_GONE: ReadonlySet<string | null> = new Set(['ENOENT', 'ENOTDIR'])

export interface MarkedPlace {
  /** The output directory, without symbolic links. */
  readonly root: string
  /** A directory below it that is this process's alone. */
  readonly own: string
  /** Different in each run. */
  readonly session: string
}

export class StorageCheck {
  private readonly mark: string

  private constructor(
    private readonly place: MarkedPlace,
    private readonly identity: string,
    /** Told when the root is the same, and our place in it is gone: somebody removed it. */
    private readonly onRemoved: (error: StreamtoolError) => void,
  ) {
    this.mark = markOf(place)
  }

  static async begin(place: MarkedPlace, onRemoved: (error: StreamtoolError) => void): Promise<StorageCheck> {
    await naming('write', place.own, () => writeFile(markOf(place), '', {flag: 'wx', mode: 0o600}))
    return new StorageCheck(place, await naming('read', place.root, () => identityOf(place.root)), onRemoved)
  }

  /** @throws STORAGE_GONE, STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED */
  async examine(): Promise<void> {
    const {root, own, session} = this.place
    if (!(await this.isThere()) && (await this.isRemoved())) {
      this.onRemoved(removed(own))
      return
    }
    await naming('write', root, () => access(root, constants.W_OK | constants.X_OK))
    const probe = path.join(own, `${session}.probe`)
    await naming('write', root, async () => {
      await writeFile(probe, 'x', {mode: 0o600, flush: true})
      await unlink(probe)
    })
  }

  /** To be asked before a directory is made. @throws STORAGE_GONE, STORAGE_FAILED */
  async requireThere(): Promise<void> {
    if (!(await this.isThere())) throw gone(this.place.root)
  }

  /** Before a new place is taken. @throws STORAGE_GONE, STORAGE_FAILED */
  async requireSameRoot(): Promise<void> {
    const {root} = this.place
    const found = await naming('read', root, () => identityOf(root).catch(nullIfGone))
    if (found === null) throw gone(root)
    if (found !== this.identity && !(await this.isThere())) throw another(root)
  }

  /** In a root that is the same before and after the look: else it may have been coming back, or going. */
  private async isRemoved(): Promise<boolean> {
    await this.requireSameRoot()
    if (await this.isThere()) return false
    await this.requireSameRoot()
    return true
  }

  private async isThere(): Promise<boolean> {
    return naming('read', this.place.root, async () => (await lstat(this.mark).catch(nullIfGone)) !== null)
  }
}

function markOf({own, session}: MarkedPlace): string {
  return path.join(own, `${session}.run`)
}

async function identityOf(directory: string): Promise<string> {
  const {dev, ino} = await lstat(directory, {bigint: true})
  return `${dev}:${ino}`
}

function nullIfGone(thrown: unknown): null {
  if (IS_GONE.has(errno(thrown))) return null
  throw thrown
}

function gone(root: string): StreamtoolError {
  return new StreamtoolError('STORAGE_GONE', `${root} is not there any more.`, {
    facts: {path: root},
    suggestions: ['Bring it back: mount it, or move it to its place.'],
  })
}

function another(root: string): StreamtoolError {
  return new StreamtoolError(
    'STORAGE_GONE',
    `${root} is not the directory that this process began with: its .streamtool is not in there.`,
    {
      facts: {path: root},
      suggestions: [
        'Bring the directory back: mount it, or move it to its place.',
        'To begin in the new one, restart streamtool.',
      ],
    },
  )
}

function removed(own: string): StreamtoolError {
  return new StreamtoolError('STORAGE_FAILED', `Somebody removed ${own}, where files were being written.`, {
    facts: {path: own},
  })
}
