import {mkdir, readdir, readFile, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {newProcessor} from '../../../src/cli/new-package.js'
import {temporaryDirectory} from '../../support/temporary-directory.js'

describe('streamtool new processor', () => {
  it('writes every file of the template, with the name in it', async () => {
    const where = await temporaryDirectory()
    const {directory, files} = await newProcessor('xrd-2-plot', where, '1.2.3')
    expect(directory).toBe(join(where, 'xrd-2-plot'))
    expect(files).toEqual(
      expect.arrayContaining(['.gitignore', 'README.md', 'package.json', join('src', 'index.ts')]),
    )
    for (const file of files) expect(await readFile(join(directory, file), 'utf8')).not.toMatch(/\{\{\w+\}\}/)
    expect(JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'))).toMatchObject({
      name: 'xrd-2-plot',
      peerDependencies: {streamtool: '^1.2.3'},
    })
  })

  it('did not ask a registry for a streamtool that runs from a checkout: it may be published nowhere', async () => {
    const {directory} = await newProcessor('xrd', await temporaryDirectory(), '1.2.3')
    const {devDependencies} = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>
    }
    expect(devDependencies['streamtool']).toBe(`file:${join(import.meta.dirname, '../../..')}`)
  })

  it.each([
    'Xrd',
    '../xrd',
    'xrd_plot',
    'a b',
    '-x',
    'x-',
    'x--y',
    '',
    '2xrd',
    'x'.repeat(61),
    '@lab/xrd',
    'é',
  ])('refuses the name %o', async (name) => {
    const where = await temporaryDirectory()
    await expect(newProcessor(name, where, '1.0.0')).rejects.toMatchObject({code: 'USAGE', exitCode: 2})
    expect(await readdir(where)).toEqual([])
  })

  it.each(['streamtool', 'checksum-manifest'])('refuses %s, which --plugin finds elsewhere', async (name) => {
    await expect(newProcessor(name, await temporaryDirectory(), '1.0.0')).rejects.toMatchObject({
      code: 'USAGE',
    })
  })

  it('leaves what is there alone, be it a file, a full or an empty directory', async () => {
    const where = await temporaryDirectory()
    await mkdir(join(where, 'full'))
    await writeFile(join(where, 'full', 'package.json'), 'mine')
    await mkdir(join(where, 'empty'))
    await writeFile(join(where, 'file'), 'mine')
    for (const name of ['full', 'empty', 'file'])
      await expect(newProcessor(name, where, '1.0.0')).rejects.toMatchObject({code: 'USAGE'})
    expect(await readFile(join(where, 'full', 'package.json'), 'utf8')).toBe('mine')
    expect(await readdir(join(where, 'empty'))).toEqual([])
    expect((await stat(join(where, 'file'))).isFile()).toBe(true)
  })

  it('says that it may not write', async () => {
    const where = join(await temporaryDirectory(), 'gone')
    await expect(newProcessor('x', where, '1.0.0')).rejects.toMatchObject({exitCode: 6})
  })
})
