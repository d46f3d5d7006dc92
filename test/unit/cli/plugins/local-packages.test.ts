import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {StreamtoolError} from '../../../../src/core/errors.js'
import {namingTarballs} from '../../../../src/cli/plugins/local-packages.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

describe('a tarball after `plugins install`', () => {
  it('is named by its whole path, however it was written', async () => {
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

  it('that is not there is not looked for on GitHub', async () => {
    const cwd = await temporaryDirectory()
    await mkdir(join(cwd, 'package'))
    for (const [written, words] of [
      ['./missing.tgz', 'does not exist'],
      ['missing.tar.gz', 'does not exist'],
      ['builds/missing.tgz', 'does not exist'],
      ['../missing', 'does not exist'],
      ['/nowhere/missing', 'does not exist'],
      ['~/missing.tgz', 'does not exist'],
      ['file:missing', 'does not exist'],
      ['./package', 'is a directory'],
    ] as const) {
      const install = () => namingTarballs(['plugins', 'install', written], cwd)
      expect(install).toThrow(StreamtoolError)
      expect(install).toThrow(
        expect.objectContaining({exitCode: 2, message: expect.stringContaining(words) as string}) as Error,
      )
    }
  })

  it('is left as it is when it is something else', async () => {
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, 'a.tgz'), '')
    for (const argv of [
      ['plugins', 'install', 'someone/plugin', 'plugin@1.0.0', '@scope/plugin', 'https://example.org/a.tgz'],
      ['plugins', 'install', 'git+ssh://git@example.org/a.git', '--verbose'],
      ['plugins', 'link', 'missing.tgz'],
      ['upload', 'missing.tgz'],
    ])
      expect(namingTarballs(argv, cwd)).toEqual(argv)
  })
})
