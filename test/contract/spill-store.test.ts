import {mkdtemp, readdir, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {createSpillStore} from '../../src/adapters/files/spill-store.js'
import {createMemorySpillStore} from '../../src/adapters/memory/memory-spill-store.js'
import {spillStoreContract} from './spill-store.contract.js'

spillStoreContract('directory', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'streamtool-contract-'))
  const store = await createSpillStore(directory)
  return {
    store,
    async openFiles() {
      return (await readdir(directory, {recursive: true})).filter((file) => file.endsWith('.spill')).length
    },
    async close() {
      await store.close()
      await rm(directory, {recursive: true})
    },
  }
})

spillStoreContract('memory', async () => {
  const store = createMemorySpillStore()
  return {store, openFiles: async () => store.openFiles, close: async () => undefined}
})
