import {readdir, readFile, rm, stat, utimes, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {describe, expect, it, vi} from 'vitest'
import {thisProcess} from '../../../../src/adapters/system/process-identity.js'
import {type ProcessLock, tryLock} from '../../../../src/adapters/system/process-lock.js'
import {eventually} from '../../../support/eventually.js'
import {runTestChild} from '../../../support/child-process.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const HOLDER = 'test/unit/adapters/system/children/hold-lock.ts'
/** Nobody has this pid. */
const DEAD = {...thisProcess(), pid: 2 ** 30}
const FOREIGN = {pid: 1, startTime: '1', pidSpace: 'boot:of another host'}

async function lockFiles(directory: string): Promise<string[]> {
  return (await readdir(directory)).sort()
}

async function writeLock(directory: string, turn: number, content: unknown, ageMs = 0): Promise<string> {
  const file = path.join(directory, `name.${turn}.lock`)
  await writeFile(file, typeof content === 'string' ? content : `${JSON.stringify(content)}\n`)
  const writtenAt = (Date.now() - ageMs) / 1000
  await utimes(file, writtenAt, writtenAt)
  return file
}

async function release(locks: readonly (ProcessLock | null)[]): Promise<void> {
  for (const lock of locks) await lock?.release()
}

describe('tryLock', () => {
  it('gives a lock to one at a time', async () => {
    const directory = path.join(await temporaryDirectory(), 'made/when/needed')
    const first = await tryLock(directory, 'name')
    expect(first).not.toBeNull()
    expect(await tryLock(directory, 'name')).toBeNull()
    const other = await tryLock(directory, 'other')
    expect(other).not.toBeNull()
    await first?.release()
    const second = await tryLock(directory, 'name')
    expect(second).not.toBeNull()
    await release([second, other])
  })

  it.each([
    ['free', () => Promise.resolve()],
    ['released', async (directory: string) => release([await tryLock(directory, 'name')])],
    ["a dead process's", (directory: string) => writeLock(directory, 7, DEAD)],
    [
      'the last of several dead processes',
      async (directory: string) => {
        for (const turn of [3, 4, 9]) await writeLock(directory, turn, DEAD)
      },
    ],
  ])('gives a lock that is %s to one of many that try at once', async (_, prepare) => {
    for (let round = 0; round < 10; round += 1) {
      const directory = await temporaryDirectory()
      await prepare(directory)
      const locks = await Promise.all(Array.from({length: 12}, () => tryLock(directory, 'name')))
      expect(locks.filter((lock) => lock !== null)).toHaveLength(1)
      expect(await lockFiles(directory)).toHaveLength(1)
      await release(locks)
    }
  })

  it('leaves the lock of a live process alone, also of one that is stopped', async () => {
    const directory = await temporaryDirectory()
    const child = runTestChild(HOLDER, [directory, 'name'])
    await child.printed(1)
    expect(child.lines).toEqual(['held'])
    expect(await tryLock(directory, 'name')).toBeNull()
    child.process.kill('SIGSTOP')
    expect(await tryLock(directory, 'name')).toBeNull()
  }, 30_000)

  it('takes the lock of a process that was killed', async () => {
    const directory = await temporaryDirectory()
    const child = runTestChild(HOLDER, [directory, 'name'])
    await child.printed(1)
    await child.kill('SIGKILL')
    const lock = await tryLock(directory, 'name')
    expect(lock).not.toBeNull()
    expect(await lockFiles(directory)).toEqual(['name.2.lock'])
    await release([lock])
  }, 30_000)

  it('is not deceived by another process that got the pid of the dead one', async () => {
    const directory = await temporaryDirectory()
    await writeLock(directory, 1, {...thisProcess(), startTime: '12345'})
    const lock = await tryLock(directory, 'name')
    expect(lock !== null).toBe(thisProcess().startTime !== null)
    await release([lock])
  })

  it.each([
    ['another host', FOREIGN],
    ['nobody who can be known', ''],
    ['somebody who wrote something else', '{"pid":"many"}'],
  ])('believes in the life of %s for a minute', async (_, content) => {
    const directory = await temporaryDirectory()
    await writeLock(directory, 1, content)
    expect(await tryLock(directory, 'name')).toBeNull()
    await writeLock(directory, 1, content, 50_000)
    expect(await tryLock(directory, 'name')).toBeNull()
    await writeLock(directory, 1, content, 70_000)
    const lock = await tryLock(directory, 'name')
    expect(lock).not.toBeNull()
    expect(await lockFiles(directory)).toEqual(['name.2.lock'])
    await release([lock])
  })

  it('says what it cannot lock', async () => {
    const file = path.join(await temporaryDirectory(), 'file')
    await writeFile(file, '')
    await expect(tryLock(path.join(file, 'locks'), 'name')).rejects.toMatchObject({
      code: 'FILE_NAME_CONFLICT',
      message: expect.stringContaining(file) as string,
    })
  })

  it('survives the removal of its directory', async () => {
    const directory = path.join(await temporaryDirectory(), 'locks')
    const lock = await tryLock(directory, 'name')
    await rm(directory, {recursive: true})
    await lock?.release()
  })
})

describe('a held lock', () => {
  it('is rewritten again and again, and says so when another has taken it', async () => {
    vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']})
    try {
      const directory = await temporaryDirectory()
      const lock = await tryLock(directory, 'name')
      const file = await writeLock(
        directory,
        1,
        await readFile(path.join(directory, 'name.1.lock'), 'utf8'),
        90_000,
      )
      vi.advanceTimersByTime(10_000)
      await eventually('the lock is rewritten', async () => {
        return Date.now() - (await stat(file)).mtimeMs < 60_000
      })
      expect(await tryLock(directory, 'name')).toBeNull()
      expect(lock?.lost.aborted).toBe(false)

      const theirs = await writeLock(directory, 2, FOREIGN)
      vi.advanceTimersByTime(10_000)
      await eventually('the loss is noticed', () => lock?.lost.aborted === true)
      expect(lock?.lost.reason).toMatchObject({code: 'STORAGE_FAILED'})
      await lock?.release()
      expect(await lockFiles(directory)).toEqual([path.basename(theirs)])
    } finally {
      vi.useRealTimers()
    }
  })
})
