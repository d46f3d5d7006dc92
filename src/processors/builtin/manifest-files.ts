/**
 * Files of checksums as `sha256sum` writes and reads them:
 *
 *     <64 hex digits>  <name>\n        or, when the name has a newline, a carriage return or a backslash,
 *     \<64 hex digits>  <name with \n, \r and \\ for them>\n
 *
 * A manifest grows at its end, one line for a file, and each name is in it once: when a name gets another checksum the
 * manifest is written anew, beside the old one, and put in its place. What is known of a manifest is kept in memory and
 * holds as long as the file does: what others appended is read, and one that was replaced is read from its beginning.
 * Callers see to it that one `enter` at a time is under way.
 */
import {mkdir, open, readFile, rename, type FileHandle} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'

/** Names known over all manifests, before the manifests that were used longest ago are forgotten. */
const KNOWN_NAMES = 200_000
const LINE = /^(\\?)([0-9a-f]{64}) [ *](.*)$/s
const NEWLINE = 0x0a

interface Manifest {
  readonly inode: number
  /** Up to here it has been read or written; a line ends here. */
  bytes: number
  readonly checksums: Map<string, string>
}

export interface Entered {
  /** Resolves when the entry survives a power cut; may run beside everything else. */
  sync(): Promise<void>
}

export class ManifestFiles {
  /** The one that was used last is the last one. */
  private readonly manifests = new Map<string, Manifest>()

  async enter(path: string, name: string, checksum: string): Promise<Entered> {
    const madeDirectory = await mkdir(dirname(path), {recursive: true})
    const file = await open(path, 'a+')
    try {
      const manifest = await this.upToDate(path, file)
      const known = manifest.checksums.get(name)
      if (known !== undefined && known !== checksum) {
        this.manifests.delete(path)
        await file.close()
        await replaceLine(path, name, checksum)
        return {sync: async () => undefined}
      }
      const isNew = manifest.bytes === 0
      if (known === undefined) {
        const line = Buffer.from(lineOf(name, checksum))
        await file.appendFile(line)
        manifest.bytes += line.length
        manifest.checksums.set(name, checksum)
      }
      return {
        async sync() {
          try {
            await file.datasync()
          } finally {
            await file.close()
          }
          if (isNew) await syncDirectories(dirname(path), madeDirectory)
        },
      }
    } catch (thrown) {
      await file.close()
      throw thrown
    }
  }

  forget(): void {
    this.manifests.clear()
  }

  /** What is in it now. A line that a crash left unfinished is cut off: its file was not done. */
  private async upToDate(path: string, file: FileHandle): Promise<Manifest> {
    const {ino, size} = await file.stat()
    const known = this.manifests.get(path)
    const isGrown = known?.inode === ino && known.bytes <= size
    const manifest = isGrown ? known : {inode: ino, bytes: 0, checksums: new Map<string, string>()}
    if (size > manifest.bytes) {
      const added = Buffer.alloc(size - manifest.bytes)
      const {bytesRead} = await file.read(added, 0, added.length, manifest.bytes)
      const whole = added.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1
      if (whole < added.length) await file.truncate(manifest.bytes + whole)
      for (const line of added.toString('utf8', 0, whole).split('\n')) {
        const entry = entryOf(line)
        if (entry) manifest.checksums.set(entry.name, entry.checksum)
      }
      manifest.bytes += whole
    }
    this.manifests.delete(path)
    this.manifests.set(path, manifest)
    this.forgetOldest()
    return manifest
  }

  private forgetOldest(): void {
    let names = 0
    for (const {checksums} of this.manifests.values()) names += checksums.size
    for (const [path, {checksums}] of this.manifests) {
      if (names <= KNOWN_NAMES || this.manifests.size === 1) return
      this.manifests.delete(path)
      names -= checksums.size
    }
  }
}

/** All other lines stay as they are, whatever they are. */
async function replaceLine(path: string, name: string, checksum: string): Promise<void> {
  const others = (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && entryOf(line)?.name !== name)
  const next = join(dirname(path), `.${basename(path)}.new`)
  const file = await open(next, 'w')
  try {
    await file.writeFile(others.map((line) => `${line}\n`).join('') + lineOf(name, checksum))
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(next, path)
  await syncDirectories(dirname(path), undefined)
}

function lineOf(name: string, checksum: string): string {
  // To `sha256sum -c` a plain dash is its standard input.
  const path = name === '-' ? './-' : name
  const escaped = path.replace(/[\\\n\r]/g, (each) => ESCAPES[each] ?? each)
  return `${escaped === path ? '' : '\\'}${checksum}  ${escaped}\n`
}
const ESCAPES: Readonly<Record<string, string>> = {'\\': '\\\\', '\n': '\\n', '\r': '\\r'}

/** Null for what is no line of a manifest. */
function entryOf(line: string): {name: string; checksum: string} | null {
  const [, escape, checksum, text] = LINE.exec(line) ?? []
  if (checksum === undefined || text === undefined) return null
  const path = escape ? text.replace(/\\(.)/g, (_, code: string) => UNESCAPES[code] ?? code) : text
  return {name: path === './-' ? '-' : path, checksum}
}
const UNESCAPES: Readonly<Record<string, string>> = {n: '\n', r: '\r'}

/** A new file, or a new name, is durable when its directory is; a new directory when the one that it is in is. */
async function syncDirectories(from: string, madeFirst: string | undefined): Promise<void> {
  const upTo = madeFirst === undefined ? from : dirname(madeFirst)
  for (let directory = from; ; directory = dirname(directory)) {
    const handle = await open(directory)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (directory === upTo || directory === dirname(directory)) return
  }
}
