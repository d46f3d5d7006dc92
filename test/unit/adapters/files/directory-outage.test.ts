/** An output directory that is away for a while, and comes back. */
import {execFileSync} from 'node:child_process'
import {mkdir, readdir, readFile, rename, rm, rmdir, symlink, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {describe, expect, it, onTestFinished, vi} from 'vitest'
import {
  createDirectoryDestination,
  type DirectoryOutput,
} from '../../../../src/adapters/files/directory-destination.js'
import {createSpillStore} from '../../../../src/adapters/files/spill-store.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import type {Clock, FileWriter} from '../../../../src/core/ports/index.js'
import {eventually} from '../../../support/eventually.js'
import {incomingFile, type IncomingFileFacts} from '../../../support/incoming-file.js'
import {noSteps, type RecordedLog, recordedLog} from '../../../support/quiet.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const canMount = process.platform === 'linux' && process.getuid?.() === 0
const {signal} = new AbortController()
/** Tries again soon. */
const hastyClock: Clock = {nowMs: () => Date.now(), sleep: (_, stop) => systemClock.sleep(5, stop)}

interface Output {
  /** Exists, as the directory that is moved away and back. */
  readonly root: string
  readonly destination: DirectoryOutput
  readonly log: RecordedLog
  readonly stop: AbortController
}

async function open(root: string): Promise<Output> {
  const [log, stop] = [recordedLog(), new AbortController()]
  const destination = await createDirectoryDestination({
    root,
    concurrency: 8,
    clock: hastyClock,
    logger: log,
    steps: noSteps,
    signal: stop.signal,
  })
  onTestFinished(() => destination.close())
  return {root, destination, log, stop}
}

const newOutput = async (): Promise<Output> => open(path.join(await temporaryDirectory(), 'out'))

async function begun(
  {destination}: Output,
  file: string,
  content: Buffer,
  facts: IncomingFileFacts = {},
): Promise<FileWriter> {
  const writer = await destination.open(incomingFile(file, content, facts), signal)
  await writer.write(content)
  return writer
}

async function deliver(
  output: Output,
  file: string,
  text = file,
  facts?: IncomingFileFacts,
): Promise<string> {
  const content = Buffer.from(text)
  return (await begun(output, file, content, facts)).finish(content.length)
}

const warnings = ({log}: Output) => log.entries.filter(({level}) => level === 'warn')

async function untilWaiting(output: Output): Promise<void> {
  await eventually('the outage is noticed', () => warnings(output).length > 0)
  await delay(50)
}

const text = (root: string, file: string) => readFile(path.join(root, file), 'utf8')

describe('an output directory that is moved away', () => {
  it('is waited for, and not made anew; what had begun goes on when it is back', async () => {
    const output = await newOutput()
    const {root, log} = output
    await deliver(output, 'd/before')
    const large = Buffer.alloc(300_000, 'x')
    const half = await output.destination.open(incomingFile('d/large', large, {chunkCount: 2}), signal)
    await half.write(large.subarray(0, 150_000))
    const held = await begun(output, 'held', Buffer.from('held'))

    await rename(root, `${root}.away`)
    const finishing = Promise.all([
      half.write(large.subarray(150_000)).then(() => half.finish(large.length)),
      held.finish(4),
      deliver(output, 'd/new'),
      deliver(output, 'new-directory/new'),
    ])
    await untilWaiting(output)
    await expect(readdir(root)).rejects.toMatchObject({code: 'ENOENT'})
    expect(warnings(output)).toHaveLength(1)
    expect(warnings(output)[0]).toMatchObject({facts: {code: 'STORAGE_GONE', directory: root}})
    expect(warnings(output)[0]!.message).toContain(`${root} is not there any more.`)

    await rename(`${root}.away`, root)
    expect(await finishing).toEqual(['delivered', 'delivered', 'delivered', 'delivered'])
    expect((await readFile(path.join(root, 'd/large'))).equals(large)).toBe(true)
    for (const file of ['d/before', 'held', 'd/new', 'new-directory/new'])
      expect(await text(root, file)).toBe(file)
    expect(log.entries.map(({level}) => level)).toEqual(['warn', 'info'])
    expect(await deliver(output, 'd/new')).toBe('unchanged')
  })

  it('is not mistaken for an empty directory in its place, as an unmounted file system leaves it', async () => {
    const output = await newOutput()
    const {root} = output
    await deliver(output, 'd/before')
    await rename(root, `${root}.away`)
    await mkdir(root)
    const finishing = Promise.all(['top', 'd/1', 'e/2'].map((file) => deliver(output, file)))
    await untilWaiting(output)
    expect(await readdir(root)).toEqual([])
    expect(warnings(output)).toHaveLength(1)
    expect(warnings(output)[0]!.message).toContain('not the directory that this process began with')

    await rmdir(root)
    await rename(`${root}.away`, root)
    expect(await finishing).toEqual(['delivered', 'delivered', 'delivered'])
    expect((await readdir(root)).sort()).toEqual(['.streamtool', 'd', 'e', 'top'])
  })

  it('may come back with a newer generation, over which the one that waited is not put', async () => {
    const output = await newOutput()
    const {root} = output
    const old = await begun(output, 'f', Buffer.from('old'), {offset: 1})
    await rename(root, `${root}.away`)
    const finishing = old.finish(3)
    await untilWaiting(output)
    const elsewhere = await open(`${root}.away`)
    expect(await deliver(elsewhere, 'f', 'new', {offset: 2})).toBe('delivered')
    await elsewhere.destination.close()
    await rename(`${root}.away`, root)
    expect(await finishing).toBe('superseded')
    expect(await text(root, 'f')).toBe('new')
  })

  it('ends its wait when told to, and closes without an error', async () => {
    const output = await newOutput()
    const {root, stop} = output
    const writer = await begun(output, 'f', Buffer.alloc(100), {chunkCount: 2})
    await rename(root, `${root}.away`)
    const finishing = writer.finish(100)
    finishing.catch(() => undefined)
    await untilWaiting(output)
    stop.abort(new Error('told to'))
    await expect(finishing).rejects.toThrow('told to')
    await output.destination.close()
    await expect(readdir(root)).rejects.toMatchObject({code: 'ENOENT'})
  })

  it('keeps its lock while it is away', async () => {
    vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']})
    onTestFinished(() => void vi.useRealTimers())
    const output = await newOutput()
    const {root} = output
    await rename(root, `${root}.away`)
    // One heartbeat of the lock.
    vi.advanceTimersByTime(10_000)
    await delay(100)
    await rename(`${root}.away`, root)
    expect(await deliver(output, 'f')).toBe('delivered')
    expect(output.log.entries.filter(({message}) => message.includes('took over'))).toEqual([])
    expect((await readdir(path.join(root, '.streamtool/partial'))).sort()).toEqual(['0', '0.1.lock'])
  })
})

describe('what somebody does to an output directory that stays', () => {
  it('begins anew in it when its state was removed; what was being written is lost and says that it may come again', async () => {
    const output = await newOutput()
    const {root} = output
    const lost = await begun(output, 'lost', Buffer.from('lost'), {chunkCount: 2})
    await rm(path.join(root, '.streamtool'), {recursive: true})
    await expect(lost.finish(4)).rejects.toMatchObject({code: 'STORAGE_FAILED', retriable: true})
    await lost.discard()
    expect(await deliver(output, 'next')).toBe('delivered')
    expect(await deliver(output, 'lost')).toBe('delivered')
    expect((await readdir(root)).sort()).toEqual(['.streamtool', 'lost', 'next'])
    expect(warnings(output)).toHaveLength(1)
  })

  it('fails a file whose name is taken by a directory at once, beside others', async () => {
    const output = await newOutput()
    await mkdir(path.join(output.root, 'taken'))
    await symlink(output.root, path.join(output.root, 'link'))
    await expect(deliver(output, 'taken')).rejects.toMatchObject({code: 'FILE_NAME_CONFLICT'})
    await expect(deliver(output, 'link/f')).rejects.toMatchObject({code: 'FILE_NAME_CONFLICT'})
    expect(await deliver(output, 'f')).toBe('delivered')
    expect(warnings(output)).toEqual([])
  })
})

describe.runIf(canMount)('an output directory on a mount of its own', () => {
  const mount = (...args: string[]): void => {
    execFileSync('mount', args)
  }

  async function mounted(): Promise<{root: string; backing: string}> {
    const directory = await temporaryDirectory()
    const [root, backing] = [path.join(directory, 'out'), path.join(directory, 'backing')]
    await mkdir(root)
    await mkdir(backing)
    mount('--bind', backing, root)
    onTestFinished(() => {
      execFileSync('umount', ['-l', root])
    })
    return {root, backing}
  }

  it('waits until it is mounted again, and writes nothing to the disk below', async () => {
    const {root, backing} = await mounted()
    const output = await open(root)
    await deliver(output, 'd/before')
    const begunBefore = await begun(output, 'd/begun', Buffer.from('d/begun'), {chunkCount: 2})
    execFileSync('umount', ['-l', root])
    const finishing = Promise.all([begunBefore.finish(7), deliver(output, 'd/new'), deliver(output, 'e/new')])
    await untilWaiting(output)
    expect(await readdir(root)).toEqual([])
    mount('--bind', backing, root)
    expect(await finishing).toEqual(['delivered', 'delivered', 'delivered'])
    for (const file of ['d/before', 'd/begun', 'd/new', 'e/new']) expect(await text(root, file)).toBe(file)
  })

  it('waits while it is read-only', async () => {
    const {root} = await mounted()
    const output = await open(root)
    mount('-o', 'remount,bind,ro', root)
    const finishing = Promise.all(['f', 'd/f'].map((file) => deliver(output, file)))
    await untilWaiting(output)
    expect(warnings(output)).toMatchObject([{facts: {code: 'STORAGE_FORBIDDEN'}}])
    expect(warnings(output)[0]!.message).toContain('the file system is read-only (EROFS)')
    mount('-o', 'remount,bind,rw', root)
    expect(await finishing).toEqual(['delivered', 'delivered'])
  })

  it('closes without an error while it is read-only', async () => {
    const {root} = await mounted()
    const output = await open(root)
    mount('-o', 'remount,bind,ro', root)
    await output.destination.close()
    expect(warnings(output)).toMatchObject([{message: expect.stringContaining('next run') as string}])
    mount('-o', 'remount,bind,rw', root)
  })

  it('fails a file alone whose directory is on another file system', async () => {
    const {root} = await mounted()
    const output = await open(root)
    const other = await temporaryDirectory()
    await mkdir(path.join(root, 'other'))
    mount('--bind', other, path.join(root, 'other'))
    onTestFinished(() => {
      execFileSync('umount', ['-l', path.join(root, 'other')])
    })
    await expect(deliver(output, 'other/f')).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      facts: {errno: 'EXDEV'},
    })
    expect(await deliver(output, 'f')).toBe('delivered')
    expect(warnings(output)).toEqual([])
  })

  describe('spilling to a full disk', () => {
    async function fullSpill(): Promise<{
      spill: Awaited<ReturnType<typeof createSpillStore>>
      output: Output
      makeSpace: () => Promise<void>
    }> {
      const root = await temporaryDirectory()
      mount('-t', 'tmpfs', '-o', 'size=1024k', 'tmpfs', root)
      onTestFinished(() => {
        execFileSync('umount', ['-l', root])
      })
      const output = await open(root)
      const ballast = path.join(root, 'ballast')
      await writeFile(ballast, Buffer.alloc(900 * 1024))
      const spill = await createSpillStore(path.join(root, '.streamtool/spill'), {
        whenStorageAllows: output.destination.whenStorageAllows,
        signal: output.stop.signal,
      })
      onTestFinished(() => spill.close())
      return {spill, output, makeSpace: () => rm(ballast)}
    }

    it('waits for space, and keeps what it was given', async () => {
      const {spill, output, makeSpace} = await fullSpill()
      const file = await spill.create(signal)
      const data = Buffer.alloc(300 * 1024, 'spill')
      const appended = file.append(data)
      await untilWaiting(output)
      await makeSpace()
      const place = Buffer.alloc(data.length)
      await file.read(await appended, place)
      expect(place.equals(data)).toBe(true)
      expect(output.log.entries.map(({level}) => level)).toEqual(['warn', 'info'])
      await file.close()
    })

    it('ends its wait with the file that it is for', async () => {
      const {spill, output} = await fullSpill()
      const over = new AbortController()
      const file = await spill.create(over.signal)
      const appended = file.append(Buffer.alloc(300 * 1024))
      appended.catch(() => undefined)
      await untilWaiting(output)
      over.abort(new Error('given up'))
      await expect(appended).rejects.toThrow('given up')
      await file.close()
    })
  })
})
