import {mkdir, mkdtemp, open, rm, utimes} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {createFileSource} from '../../src/adapters/files/file-source.js'
import {createMemoryFileSource} from '../../src/adapters/memory/memory-file-source.js'
import {fileSourceContract} from './file-source.contract.js'

fileSourceContract('directory', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'streamtool-contract-'))
  const source = createFileSource({inputs: [root]})
  return {
    source,
    async put(name, content, mtimeMs) {
      const file = path.join(root, name)
      await mkdir(path.dirname(file), {recursive: true})
      const handle = await open(file, 'a')
      await handle.truncate()
      await handle.write(content)
      await handle.close()
      if (mtimeMs !== undefined) await utimes(file, mtimeMs / 1000, mtimeMs / 1000)
    },
    remove: (name) => rm(path.join(root, name)),
    async close() {
      await source.close()
      await rm(root, {recursive: true})
    },
  }
})

fileSourceContract('memory', async () => {
  const source = createMemoryFileSource()
  return {
    source,
    put: async (name, content, mtimeMs) => source.put(name, content, mtimeMs),
    remove: async (name) => source.remove(name),
    close: async () => undefined,
  }
})
