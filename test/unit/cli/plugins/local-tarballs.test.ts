import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {namingTarballs} from '../../../../src/cli/plugins/local-tarballs.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

describe('a tarball after `plugins install`', () => {
  it('is named by its whole path when it is there, however it was written', async () => {
    const cwd = await temporaryDirectory()
    const path = join(cwd, 'a-1.0.0.tgz')
    await writeFile(path, '')
    for (const written of [
      'a-1.0.0.tgz',
      './a-1.0.0.tgz',
      'file:a-1.0.0.tgz',
      path,
      `file:${path}`,
      `file://${path}`,
    ])
      expect(namingTarballs(['plugins', 'install', '-v', written], cwd)).toEqual([
        'plugins',
        'install',
        '-v',
        `file:${path}`,
      ])
  })

  it('is left as it is when it may be something else', async () => {
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, 'a.tgz'), '')
    for (const argv of [
      ['plugins', 'install', 'someone/plugin', 'plugin@1.0.0', 'https://example.org/a.tgz', 'b.tgz'],
      ['plugins', 'link', 'a.tgz'],
      ['upload', 'a.tgz'],
    ])
      expect(namingTarballs(argv, cwd)).toEqual(argv)
  })
})
