/** A file on the disk, alone in a directory of its own, that others may change or take away. */
import {createHash} from 'node:crypto'
import {lstat, mkdir, rm, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {StreamtoolError} from '../../../core/errors.js'
import {calls, OpenFlags, readFully} from '../../system/calls.js'
import {errno, naming} from '../../system/storage-error.js'
import {PooledFile} from '../pooled-file.js'
import type {Workspace} from '../workspace.js'

const READ_BYTES = 256 * 1024

export class LocalCopy {
  readonly path: string
  private readonly directory: string
  private readonly file: PooledFile
  private isDirectoryMade = false
  private size = 0
  /** What it was when it was whole. */
  private identity: string | null = null

  constructor(
    private readonly workspace: Workspace,
    name: string,
  ) {
    this.directory = workspace.newDirectory()
    this.path = path.join(this.directory, name)
    this.file = new PooledFile(this.path, workspace.descriptors, 0o666)
  }

  get sizeBytes(): number {
    return this.size
  }

  async append(data: Buffer): Promise<void> {
    await this.makeDirectory()
    await this.file.append(data)
    this.size = this.file.sizeBytes
  }

  /** All of it at once, also over what somebody left there. */
  async writeWhole(content: Buffer): Promise<void> {
    await this.makeDirectory()
    await naming('write', this.path, async () => {
      await rm(this.path, {recursive: true, force: true})
      await writeFile(this.path, content, {flag: 'wx'})
    })
    this.size = content.length
  }

  /** It is whole: from now on {@link isAsSealed} can tell. */
  async seal(): Promise<void> {
    await naming('write', this.path, () => this.workspace.descriptors.close(this.file))
    this.identity = await this.identify()
  }

  /** By its change time, which nobody can set; a change of it alone (a new link, other times) does not count. */
  async isAsSealed(sha512: Buffer): Promise<boolean> {
    const found = await this.identify().catch(() => null)
    if (found === null || found === this.identity) return found !== null
    try {
      const hash = createHash('sha512')
      for await (const piece of this.read()) hash.update(piece)
      if (!hash.digest().equals(sha512)) return false
    } catch {
      return false
    }
    this.identity = found
    return true
  }

  /** Without looking at its content. */
  async isUntouched(): Promise<boolean> {
    return (await this.identify().catch(() => null)) === this.identity
  }

  /** @throws STORAGE_FAILED also when it has become shorter */
  async *read(signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    signal?.throwIfAborted()
    const descriptor = await naming('read', this.path, () => calls.open(this.path, OpenFlags.readNoFollow))
    try {
      for (let position = 0; position < this.size;) {
        signal?.throwIfAborted()
        const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, this.size - position))
        const count = await naming('read', this.path, () => readFully(descriptor, buffer, position))
        if (count < buffer.length)
          throw new StreamtoolError('STORAGE_FAILED', `Cannot read ${this.path}: it has become shorter.`, {
            facts: {path: this.path},
          })
        position += count
        yield buffer
      }
    } finally {
      await calls.close(descriptor)
    }
  }

  /** With all that was put beside it; may be called again. */
  async remove(): Promise<void> {
    if (!this.isDirectoryMade) return
    await this.workspace.descriptors.close(this.file).catch(() => undefined)
    await naming('remove', this.directory, () => rm(this.directory, {recursive: true, force: true}))
  }

  private async makeDirectory(): Promise<void> {
    if (this.isDirectoryMade) return
    await naming('create', this.directory, () => mkdir(this.directory).catch(ignoreExisting))
    this.isDirectoryMade = true
  }

  /** Null when no file is there. */
  private identify(): Promise<string | null> {
    return naming('read', this.path, async () => {
      const stats = await lstat(this.path, {bigint: true}).catch(nullIfGone)
      return stats?.isFile() ? `${stats.ino} ${stats.size} ${stats.ctimeNs}` : null
    })
  }
}

export function nullIfGone(thrown: unknown): null {
  if (errno(thrown) === 'ENOENT' || errno(thrown) === 'ENOTDIR') return null
  throw thrown
}

function ignoreExisting(thrown: unknown): void {
  if (errno(thrown) !== 'EEXIST') throw thrown
}
