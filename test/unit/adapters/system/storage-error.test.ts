import {mkdir, open, readdir, rename, rm, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {describe, expect, it} from 'vitest'
import {naming, storageError} from '../../../../src/adapters/system/storage-error.js'
import {StreamtoolError} from '../../../../src/core/errors.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

describe('naming', () => {
  it.each([
    [
      'a name that is too long',
      'FILE_NAME_CONFLICT',
      (d: string) => writeFile(path.join(d, 'n'.repeat(300)), ''),
    ],
    ['a directory in the place of a file', 'FILE_NAME_CONFLICT', (d: string) => open(d, 'w')],
    [
      'a file in the place of a directory',
      'FILE_NAME_CONFLICT',
      (d: string) => readdir(path.join(d, 'file')),
    ],
    ['something that is there already', 'FILE_NAME_CONFLICT', (d: string) => mkdir(path.join(d, 'file'))],
    [
      'a directory that is not empty',
      'FILE_NAME_CONFLICT',
      async (d: string) => {
        await mkdir(path.join(d, 'from'))
        await mkdir(path.join(d, 'to/full'), {recursive: true})
        await rename(path.join(d, 'from'), path.join(d, 'to'))
      },
    ],
    ['anything else', 'STORAGE_FAILED', (d: string) => rm(path.join(d, 'missing'))],
  ])('tells %s as %s', async (_, code, work: (directory: string) => Promise<unknown>) => {
    const directory = await temporaryDirectory()
    await writeFile(path.join(directory, 'file'), '')
    const failing = naming('write', '/out/file', () => work(directory))
    await expect(failing).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^Cannot write \/out\/file: .* \(E[A-Z]+\)\.$/) as string,
    })
  })

  it.each([
    ['ENOSPC', 'STORAGE_FULL', true],
    ['EDQUOT', 'STORAGE_FULL', true],
    ['EACCES', 'STORAGE_FORBIDDEN', false],
    ['EPERM', 'STORAGE_FORBIDDEN', false],
    ['EROFS', 'STORAGE_FORBIDDEN', false],
    ['EIO', 'STORAGE_FAILED', true],
  ])('tells %s as %s', (errno, code, retriable) => {
    const cause = Object.assign(new Error('from the system'), {code: errno})
    expect(storageError(cause, 'write', 'f')).toMatchObject({
      code,
      retriable,
      cause,
      facts: {path: 'f', errno},
    })
  })

  it('leaves alone what the system did not say', () => {
    const ours = new StreamtoolError('BUG', 'ours')
    expect(storageError(ours, 'write', 'f')).toBe(ours)
    const plain = new TypeError('a bug')
    expect(storageError(plain, 'write', 'f')).toBe(plain)
  })
})
