import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {expect, it} from 'vitest'
import {loadProcessor} from '../../../src/processors/load/index.js'
import {runProcessor} from '../../../src/processors/run.js'
import {temporaryDirectory} from '../../support/temporary-directory.js'

it('a file that calls runProcessor does nothing when it is imported, and needs no default export', async () => {
  const from = await temporaryDirectory()
  const path = join(from, 'mine.mjs')
  await writeFile(path, '// calls runProcessor')
  await runProcessor({url: pathToFileURL(path).href}, {name: 'mine', process: () => 'done'})
  expect((await loadProcessor('./mine.mjs', {from})).name).toBe('mine')
})

it('what it is given is checked like an export', async () => {
  const from = await temporaryDirectory()
  const path = join(from, 'mine.cjs')
  await writeFile(path, '')
  await runProcessor({filename: path}, {name: 'mine', proces: () => 'done'} as never)
  await expect(loadProcessor('./mine.cjs', {from, member: 'process'})).rejects.toMatchObject({
    code: 'PLUGIN_UNLOADABLE',
  })
})
