/** A directory of varied, real files: whatever a file can be called, and every size that is a special case. */
import {randomFillSync} from 'node:crypto'
import {createWriteStream} from 'node:fs'
import {cp, mkdir, readdir, utimes, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {finished} from 'node:stream/promises'

const CHUNK_BYTES = 524_288

/** @param {string} directory @param {{largeMiB: number, sources: string}} options */
export async function makeFiles(directory, {largeMiB, sources}) {
  const small = {
    'empty.dat': '',
    'one byte': 'x',
    'name with spaces.txt': 'spaces',
    'Proben-Übersicht 3µm – 測定.csv': 'Winkel,Intensität\n10.0,37\n',
    [`it's "quoted".txt`]: 'quotes',
    '100% done.txt': 'percent',
    looks_like_chunk_1_of_2: 'not a chunk',
    '-starts-with-a-dash': 'dash',
    '.hidden': 'hidden',
    [`${'long'.repeat(50)}`]: 'a name of 200 characters',
    'a/deep/tree/with/many/levels/of/directories/leaf.txt': 'leaf',
    'exactly one chunk.bin': Buffer.alloc(CHUNK_BYTES, 1),
    'one chunk and a byte.bin': Buffer.alloc(CHUNK_BYTES + 1, 2),
  }
  for (const [name, content] of Object.entries(small)) {
    await mkdir(dirname(join(directory, name)), {recursive: true})
    await writeFile(join(directory, name), content)
  }
  await utimes(join(directory, 'one byte'), 1_700_000_000, 1_700_000_000)
  await cp(sources, join(directory, 'sources'), {recursive: true})
  for (let i = 0; i < 500; i++) {
    await mkdir(join(directory, 'run 1'), {recursive: true})
    await writeFile(
      join(directory, 'run 1', `scan_${String(i).padStart(4, '0')}.csv`),
      `${i},`.repeat(200 + i * 3),
    )
  }
  await writeLargeFile(join(directory, `detector ${largeMiB} MiB.raw`), largeMiB)
}

async function writeLargeFile(path, mebibytes) {
  const out = createWriteStream(path)
  const block = Buffer.allocUnsafe(1 << 20)
  for (let i = 0; i < mebibytes; i++) {
    // New random bytes for a sixteenth of it: the rest of a detector image is dark.
    block.fill(i & 0xff)
    randomFillSync(block, 0, 1 << 16)
    if (!out.write(Buffer.from(block))) await new Promise((resolve) => out.once('drain', resolve))
  }
  out.end()
  await finished(out)
}

/** Every regular file below the directory, relative, sorted; streamtool's own state is no result. */
export async function listFiles(directory) {
  const entries = await readdir(directory, {recursive: true, withFileTypes: true})
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(directory.length + 1))
    .filter((path) => !path.startsWith('.streamtool/'))
    .sort()
}
