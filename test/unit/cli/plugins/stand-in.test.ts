import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {Config} from '@oclif/core'
import {describe, expect, it, vi} from 'vitest'
import {
  dataDirectory,
  offerStandIn,
  packageRoot,
  refreshStandIn,
} from '../../../../src/cli/plugins/stand-in.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

/** A package that could be streamtool. */
async function aStreamtool(version: string): Promise<string> {
  const root = await temporaryDirectory()
  const exports = {
    '.': {default: './main.js'},
    './cli': {default: './more.js'},
    './package.json': './package.json',
  }
  await writeFile(join(root, 'package.json'), JSON.stringify({name: 'streamtool', version, exports}))
  await writeFile(join(root, 'main.js'), `export const version = '${version}'\n`)
  await writeFile(join(root, 'more.js'), `export const more = '${version}'\n`)
  return root
}

const imported = (dataDir: string, file: string) =>
  import(pathToFileURL(join(dataDir, 'stand-in', file)).href) as Promise<Record<string, unknown>>

describe('the stand-in', () => {
  it('hands on what the running streamtool exports, under its version', async () => {
    const dataDir = join(await temporaryDirectory(), 'not', 'there', 'yet')
    offerStandIn(dataDir, await aStreamtool('1.2.3'))
    expect(await imported(dataDir, 'index.js')).toMatchObject({version: '1.2.3'})
    expect(await imported(dataDir, 'cli.js')).toMatchObject({more: '1.2.3'})
    const text = await readFile(join(dataDir, 'stand-in', 'package.json'), 'utf8')
    expect(JSON.parse(text)).toMatchObject({
      name: 'streamtool',
      version: '1.2.3',
      exports: {'.': './index.js', './cli': './cli.js'},
    })
  })

  it('leaves what npm and oclif keep in package.json as it is', async () => {
    const dataDir = await temporaryDirectory()
    const kept = {oclif: {schema: 1, plugins: [{name: 'p', type: 'user'}]}, dependencies: {p: '^1.0.0'}}
    await writeFile(join(dataDir, 'package.json'), JSON.stringify({name: 'streamtool', ...kept}))
    offerStandIn(dataDir, await aStreamtool('1.0.0'))
    expect(JSON.parse(await readFile(join(dataDir, 'package.json'), 'utf8'))).toEqual({
      // npm lets no package depend on one of its own name.
      name: 'streamtool-plugins',
      oclif: kept.oclif,
      dependencies: {p: '^1.0.0', streamtool: 'file:./stand-in'},
    })
  })

  it('follows when streamtool was updated or moved, and is not made by itself', async () => {
    const dataDir = await temporaryDirectory()
    refreshStandIn(dataDir, await aStreamtool('1.0.0'))
    await expect(readFile(join(dataDir, 'stand-in', 'package.json'))).rejects.toThrow('ENOENT')

    offerStandIn(dataDir, await aStreamtool('1.0.0'))
    const moved = await aStreamtool('1.0.0')
    refreshStandIn(dataDir, moved)
    const text = await readFile(join(dataDir, 'stand-in', 'index.js'), 'utf8')
    expect(text).toContain(pathToFileURL(moved).href)
  })

  it('hinders nobody when it cannot be written', async () => {
    const dataDir = await temporaryDirectory()
    await mkdir(join(dataDir, 'stand-in', 'index.js'), {recursive: true})
    await writeFile(join(dataDir, 'stand-in', 'package.json'), 'of another')
    const root = await aStreamtool('1.0.0')
    expect(() => refreshStandIn(dataDir, root)).not.toThrow()
  })
})

describe('the data directory', () => {
  it.each([
    {},
    {XDG_DATA_HOME: '/somewhere/share'},
    {STREAMTOOL_DATA_DIR: '/somewhere/else', XDG_DATA_HOME: '/somewhere/share'},
    {HOME: '/home/another'},
  ])('is that of oclif, with %o', async (said) => {
    for (const name of ['STREAMTOOL_DATA_DIR', 'XDG_DATA_HOME'] as const) vi.stubEnv(name, undefined)
    for (const [name, value] of Object.entries(said)) vi.stubEnv(name, value)
    const config = await Config.load({root: packageRoot, userPlugins: false})
    expect(dataDirectory(process.env, process.platform)).toBe(config.dataDir)
    vi.unstubAllEnvs()
  })
})
