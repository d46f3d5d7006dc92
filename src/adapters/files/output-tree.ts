/**
 * The directories below an output directory: made when needed, never reached through a symbolic link, synced so
 * that what was renamed into them stays.
 *
 * Node has no openat, so between the look at a directory and the rename into it somebody who may write in the
 * output directory could still swap it for a link. Against wire paths alone, which is what anybody can send, the
 * look is exact.
 */
import type {BigIntStats} from 'node:fs'
import {lstat, mkdir} from 'node:fs/promises'
import path from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import type {Clock} from '../../core/ports/index.js'
import {errno, naming} from '../system/storage-error.js'
import {coalesce} from './coalesced-sync.js'
import {syncDirectory} from './sync-directory.js'

/** A directory seen to be one is taken for one so long: thousands of files a second go into the same few. */
const TRUSTED_MS = 1000
const REMEMBERED_DIRECTORIES = 4096

export interface OutputDirectory {
  readonly path: string
  /** Resolves when everything renamed into it before the call is durable. */
  sync(): Promise<void>
}

interface Seen {
  readonly directory: OutputDirectory
  readonly checkedAtMs: number
  readonly ready: Promise<void>
}

export class OutputTree {
  private readonly seen = new Map<string, Seen>()
  private readonly top: OutputDirectory

  /**
   * @param root exists
   * @param forbidden a directory below it that no wire path may enter, under whatever spelling the file system takes
   */
  constructor(
    root: string,
    private readonly forbidden: BigIntStats,
    private readonly clock: Clock,
    /** Rejects when the root is not the directory that it was: then nothing is made in it. */
    private readonly requireRoot: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.top = outputDirectory(root)
  }

  /**
   * The directory with these components below the root; it and its parents are made, durably, unless there.
   * @throws FILE_NAME_CONFLICT when one of them is no directory, or a link to one; STORAGE_*
   */
  async directory(components: readonly string[]): Promise<OutputDirectory> {
    let directory = this.top
    for (const component of components) directory = await this.child(directory, component)
    return directory
  }

  /** To be called when a directory turned out to be gone. */
  forgetDirectories(): void {
    this.seen.clear()
  }

  private async child(parent: OutputDirectory, name: string): Promise<OutputDirectory> {
    const location = parent.path + path.sep + name
    const known = this.seen.get(location)
    const isFresh = known !== undefined && this.clock.nowMs() - known.checkedAtMs < TRUSTED_MS
    const seen = isFresh ? known : this.look(parent, location, known?.directory ?? outputDirectory(location))
    await seen.ready
    return seen.directory
  }

  private look(parent: OutputDirectory, location: string, directory: OutputDirectory): Seen {
    const seen = {directory, checkedAtMs: this.clock.nowMs(), ready: this.ensure(parent, location)}
    this.seen.delete(location)
    this.seen.set(location, seen)
    seen.ready.catch(() => {
      if (this.seen.get(location) === seen) this.seen.delete(location)
    })
    const oldest = this.seen.keys().next()
    if (this.seen.size > REMEMBERED_DIRECTORIES && !oldest.done) this.seen.delete(oldest.value)
    return seen
  }

  private async ensure(parent: OutputDirectory, location: string): Promise<void> {
    await naming('create', location, async () => {
      if (await this.isDirectory(location)) return
      await this.requireRoot()
      await mkdir(location).catch((thrown: unknown) => {
        if (errno(thrown) !== 'EEXIST') throw thrown
      })
      await this.isDirectory(location)
      await parent.sync()
    })
  }

  private async isDirectory(location: string): Promise<boolean> {
    const stats = await lstat(location, {bigint: true}).catch((thrown: unknown) => {
      if (errno(thrown) === 'ENOENT') return null
      throw thrown
    })
    if (stats === null) return false
    if (stats.isSymbolicLink())
      throw refused(location, 'is a symbolic link, and files are not written through one')
    if (!stats.isDirectory()) throw refused(location, 'is a file, not a directory')
    if (stats.dev === this.forbidden.dev && stats.ino === this.forbidden.ino) {
      throw refused(location, "is the directory of streamtool's own state")
    }
    return true
  }
}

function outputDirectory(location: string): OutputDirectory {
  return {path: location, sync: coalesce(() => syncDirectory(location))}
}

function refused(location: string, what: string): StreamtoolError {
  return new StreamtoolError('FILE_NAME_CONFLICT', `Cannot write below ${location}: it ${what}.`, {
    facts: {path: location},
    suggestions: ['Move it away, or choose another output directory.'],
  })
}
