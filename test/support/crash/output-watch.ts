/** Looks into an output directory whenever a process has died: whatever has its final name is whole, and stays. */
import {createHash} from 'node:crypto'
import {readdirSync, readFileSync, statSync} from 'node:fs'
import {join, relative, sep} from 'node:path'
import {isStateOfStreamtool, readTree, type FileFacts} from '../trees.js'

export class OutputWatch {
  /** By path: the inode that was looked at last. */
  private readonly seen = new Map<string, number>()
  /** Files that were replaced between two looks. */
  replaced = 0

  constructor(
    readonly directory: string,
    private readonly expected: ReadonlyMap<string, FileFacts>,
  ) {}

  get count(): number {
    return this.seen.size
  }

  /**
   * Thousands of files, again and again: the synchronous calls take a tenth of the time.
   * @throws when a file under its final name differs from what was uploaded, in one byte or in its time
   */
  look(): void {
    for (const {path, local} of this.files(this.directory))
      if (!isStateOfStreamtool(path)) this.lookAt(path, local)
  }

  /** Of the files under construction. */
  partialBytes(): number {
    return this.files(join(this.directory, '.streamtool', 'partial'))
      .filter(({local}) => local.endsWith('.part'))
      .reduce((sum, {local}) => sum + (statSync(local, {throwIfNoEntry: false})?.size ?? 0), 0)
  }

  private files(root: string): {path: string; local: string}[] {
    try {
      return readdirSync(root, {recursive: true, withFileTypes: true})
        .filter((entry) => entry.isFile())
        .map((entry) => {
          const local = join(entry.parentPath, entry.name)
          return {path: relative(this.directory, local).split(sep).join('/'), local}
        })
    } catch (thrown) {
      // Not made yet, or a directory of partial files was removed meanwhile.
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw thrown
    }
  }

  private lookAt(path: string, local: string): void {
    const {ino, mtimeMs} = statSync(local)
    const before = this.seen.get(path)
    if (before === ino) return
    if (before !== undefined) this.replaced += 1
    this.seen.set(path, ino)
    const expected = this.expected.get(path)
    if (!expected) throw new Error(`${path} is there, and nobody uploaded it`)
    const sha256 = createHash('sha256').update(readFileSync(local)).digest('hex')
    // A time travels as a number of seconds.
    const isAsUploaded = sha256 === expected.sha256 && Math.abs(mtimeMs - expected.mtimeMs) <= 1
    if (!isAsUploaded) throw new Error(`${path} has its final name and is not what was uploaded`)
  }
}

export async function expectationsOf(root: string): Promise<Map<string, FileFacts>> {
  return new Map(Object.entries(await readTree(root)))
}
