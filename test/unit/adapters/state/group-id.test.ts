import {mkdir, readdir, readFile, stat, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {describe, expect, it} from 'vitest'
import {readOrCreateGroupId} from '../../../../src/adapters/state/group-id.js'
import {runTestChild} from '../../../support/child-process.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

describe('readOrCreateGroupId', () => {
  it('makes an id once, and reads it from then on', async () => {
    const output = path.join(await temporaryDirectory(), 'made/when/needed')
    expect(await readOrCreateGroupId(output, () => 'streamtool-1')).toBe('streamtool-1')
    expect(await readOrCreateGroupId(output, () => 'streamtool-2')).toBe('streamtool-1')
    expect(await readFile(path.join(output, '.streamtool/group'), 'utf8')).toBe('streamtool-1\n')
    expect((await stat(path.join(output, '.streamtool'))).mode & 0o777).toBe(0o700)
  })

  it('gives all that start at once the same id, and leaves nothing else behind', async () => {
    const output = await temporaryDirectory()
    const ids = await Promise.all(
      Array.from({length: 30}, (_, i) => readOrCreateGroupId(output, () => `id-${i}`)),
    )
    expect(new Set(ids).size).toBe(1)
    expect(await readdir(path.join(output, '.streamtool'))).toEqual(['group'])
  })

  it('gives processes that start at once the same id', async () => {
    const output = await temporaryDirectory()
    const script = 'test/unit/adapters/state/children/print-group-id.ts'
    const children = Array.from({length: 3}, (_, i) => runTestChild(script, [output, `from-child-${i}`]))
    await Promise.all(children.map((child) => child.printed(1)))
    const ids = children.map(({lines}) => lines[0])
    expect(ids[0]).toMatch(/^from-child-\d$/)
    expect(new Set(ids).size).toBe(1)
  }, 60_000)

  it('waits for an id that is being written', async () => {
    const output = await temporaryDirectory()
    await mkdir(path.join(output, '.streamtool'))
    const file = path.join(output, '.streamtool/group')
    await writeFile(file, '')
    const reading = readOrCreateGroupId(output, () => 'mine')
    await writeFile(file, 'theirs\n')
    expect(await reading).toBe('theirs')
  })

  it('takes an id that was written by hand, without a line end', async () => {
    const output = await temporaryDirectory()
    await mkdir(path.join(output, '.streamtool'))
    await writeFile(path.join(output, '.streamtool/group'), 'by.hand_1')
    expect(await readOrCreateGroupId(output, () => 'mine')).toBe('by.hand_1')
  })

  it.each(['', '\n', 'two\nlines\n', 'with space', 'ä', '\0\0\0', 'x'.repeat(250)])(
    'refuses a file that holds %j',
    async (content) => {
      const output = await temporaryDirectory()
      await mkdir(path.join(output, '.streamtool'))
      const file = path.join(output, '.streamtool/group')
      await writeFile(file, content)
      await expect(readOrCreateGroupId(output, () => 'mine')).rejects.toMatchObject({
        code: 'SETTING_INVALID',
        message: expect.stringContaining(file) as string,
        suggestions: expect.arrayContaining([expect.stringContaining('--group')]) as string[],
      })
      expect(await readFile(file, 'utf8')).toBe(content)
    },
  )
})
