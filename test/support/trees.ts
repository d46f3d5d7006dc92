import {createHash} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {mkdir, open, readdir, stat, utimes, writeFile} from 'node:fs/promises'
import {dirname, join, relative, sep} from 'node:path'
import {pipeline} from 'node:stream/promises'

/** What a file is to a comparison. Times are whole milliseconds. */
export interface FileFacts {
  readonly sizeBytes: number
  readonly sha256: string
  readonly mtimeMs: number
}

/** Bytes that look random and are the same in every run: a failure can be repeated. */
export function seededBytes(seed: number, sizeBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes)
  let state = (seed + 1) * 0x9e3779b1
  for (let index = 0; index < sizeBytes; index++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + index
    bytes[index] = state >>> 24
  }
  return bytes
}

export async function writeTree(
  root: string,
  files: Readonly<Record<string, Buffer | string>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), {recursive: true})
    await writeFile(join(root, path), content)
  }
}

/** Files of 1 to 20 KB in a few directories, with names as instruments give them, a second apart in time. */
export async function writeSmallFiles(root: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const path = join(root, `run ${index % 7}`, `µ${index % 3}`, `scan_${index}; 50 %.dat`)
    await mkdir(dirname(path), {recursive: true})
    await writeFile(path, seededBytes(index, 1024 + ((index * 7919) % 19_456)))
    const seconds = 1_700_000_000 + index + 0.25
    await utimes(path, seconds, seconds)
  }
}

export async function writeLargeFile(path: string, sizeBytes: number): Promise<void> {
  await mkdir(dirname(path), {recursive: true})
  const file = await open(path, 'w')
  try {
    const block = seededBytes(sizeBytes, 1 << 20)
    for (let written = 0; written < sizeBytes; written += block.length) {
      // Each block differs, so that a block in the wrong place is seen.
      block.writeDoubleBE(written)
      await file.write(block, 0, Math.min(block.length, sizeBytes - written))
    }
  } finally {
    await file.close()
  }
}

/** Every file under the root by its `/`-separated path, except in what `isForeign` leaves out. */
export async function readTree(
  root: string,
  isForeign: (path: string) => boolean = isStateOfStreamtool,
): Promise<Record<string, FileFacts>> {
  const entries = await readdir(root, {recursive: true, withFileTypes: true})
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !isForeign(path))
    .sort()
  const facts: Record<string, FileFacts> = {}
  for (const path of paths) {
    const {size, mtimeMs} = await stat(join(root, path))
    const hash = createHash('sha256')
    await pipeline(createReadStream(join(root, path)), hash)
    facts[path] = {sizeBytes: size, sha256: hash.digest('hex'), mtimeMs: Math.round(mtimeMs)}
  }
  return facts
}

export function isStateOfStreamtool(path: string): boolean {
  return path.startsWith('.streamtool/')
}
