// Copies a directory of files as safely as a receiver has to: written beside, synced, renamed; 32 side by side.
import {mkdir, open, readdir, readFile, rename} from 'node:fs/promises'
import {dirname, join} from 'node:path'

const SIDE_BY_SIDE = 32

const [from, to] = process.argv.slice(2)
const entries = await readdir(from, {recursive: true, withFileTypes: true})
const paths = entries
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(from.length + 1))

for (const directory of new Set(paths.map((path) => dirname(join(to, path)))))
  await mkdir(directory, {recursive: true})

const copyInTurn = async () => {
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const [target, partial] = [join(to, path), join(to, `${path}.partial`)]
    const file = await open(partial, 'wx')
    await file.writeFile(await readFile(join(from, path)))
    await file.datasync()
    await file.close()
    await rename(partial, target)
  }
}
await Promise.all(Array.from({length: SIDE_BY_SIDE}, copyInTurn))
