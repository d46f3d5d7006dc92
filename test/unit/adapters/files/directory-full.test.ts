/** A disk that is really full: a small file system in memory, which only root can mount. */
import {execFileSync} from 'node:child_process'
import {readdir, readFile, rm, stat, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {describe, expect, it, onTestFinished} from 'vitest'
import {createDirectoryDestination} from '../../../../src/adapters/files/directory-destination.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import type {Clock, Destination} from '../../../../src/core/ports/index.js'
import {eventually} from '../../../support/eventually.js'
import {incomingFile} from '../../../support/incoming-file.js'
import {noSteps, type RecordedLog, recordedLog} from '../../../support/quiet.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const canMount = process.platform === 'linux' && process.getuid?.() === 0
const DISK_KIB = 1024
/** Tries again soon. */
const hastyClock: Clock = {nowMs: () => Date.now(), sleep: (_, signal) => systemClock.sleep(5, signal)}

interface FullDisk {
  readonly root: string
  readonly destination: Destination
  readonly log: RecordedLog
  readonly stop: AbortController
  readonly makeSpace: () => Promise<void>
}

async function smallDisk(): Promise<string> {
  const directory = await temporaryDirectory()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_KIB}k`, 'tmpfs', directory])
  onTestFinished(() => {
    execFileSync('umount', [directory])
  })
  return directory
}

/** What is left has room for the index, and not for a file of 200 KiB. */
async function fullDisk(): Promise<FullDisk> {
  const root = await smallDisk()
  const ballast = path.join(root, 'ballast')
  await writeFile(ballast, Buffer.alloc((DISK_KIB - 100) * 1024))
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
  return {root, destination, log, stop, makeSpace: () => rm(ballast)}
}

const partialFiles = async (root: string): Promise<string[]> =>
  (await readdir(path.join(root, '.streamtool/partial/0'))).filter((name) => name.endsWith('.part'))

const untilWarned = (log: RecordedLog): Promise<void> =>
  eventually('the full disk is noticed', () => log.entries.length > 0)

describe.runIf(canMount)('a directory on a full disk', () => {
  it.each([
    ['a file that was held in memory', 1],
    ['a file that is written as it comes', 4],
  ])('waits with %s, and goes on by itself when there is space', async (_, chunkCount) => {
    const {root, destination, log, makeSpace} = await fullDisk()
    const content = Buffer.alloc(200 * 1024, 'x')
    const writer = await destination.open(
      incomingFile('f', content, {chunkCount}),
      new AbortController().signal,
    )
    const delivering = (async () => {
      for (let i = 0; i < chunkCount; i += 1) {
        await writer.write(
          content.subarray((i * content.length) / chunkCount, ((i + 1) * content.length) / chunkCount),
        )
      }
      return writer.finish(content.length)
    })()
    await untilWarned(log)
    await delay(50)
    await expect(stat(path.join(root, 'f'))).rejects.toMatchObject({code: 'ENOENT'})
    expect(log.entries).toHaveLength(1)
    expect(log.entries[0]).toMatchObject({level: 'warn', facts: {code: 'STORAGE_FULL'}})
    await makeSpace()
    expect(await delivering).toBe('delivered')
    expect((await readFile(path.join(root, 'f'))).equals(content)).toBe(true)
    expect(log.entries.map(({level}) => level)).toEqual(['warn', 'info'])
  })

  it('says it once for many files, and delivers them all', async () => {
    const {root, destination, log, makeSpace} = await fullDisk()
    const content = Buffer.alloc(10 * 1024, 'x')
    const delivering = Array.from({length: 40}, async (_, i) => {
      const writer = await destination.open(incomingFile(`d/${i}`, content), new AbortController().signal)
      await writer.write(content)
      return writer.finish(content.length)
    })
    await untilWarned(log)
    await makeSpace()
    expect(new Set(await Promise.all(delivering))).toEqual(new Set(['delivered']))
    expect(await readdir(path.join(root, 'd'))).toHaveLength(40)
    expect(log.entries.filter(({level}) => level === 'warn').length).toBeLessThan(5)
  })

  it.each([
    ['the run stops', ({stop}: FullDisk) => stop.abort(new Error('told to'))],
    ['its epoch is over', (_: FullDisk, epoch: AbortController) => epoch.abort(new Error('told to'))],
  ])('stops waiting when %s', async (_, end) => {
    const full = await fullDisk()
    const epoch = new AbortController()
    const content = Buffer.alloc(200 * 1024)
    const writer = await full.destination.open(incomingFile('f', content), epoch.signal)
    await writer.write(content)
    const finishing = writer.finish(content.length)
    finishing.catch(() => undefined)
    await untilWarned(full.log)
    end(full, epoch)
    await expect(finishing).rejects.toThrow('told to')
    await writer.discard()
  })

  it('can be discarded while it waits', async () => {
    const {root, destination, log} = await fullDisk()
    const content = Buffer.alloc(200 * 1024)
    const writer = await destination.open(
      incomingFile('f', content, {chunkCount: 2}),
      new AbortController().signal,
    )
    const writing = writer.write(content)
    writing.catch(() => undefined)
    await untilWarned(log)
    await writer.discard()
    await expect(writing).rejects.toMatchObject({code: 'INTERRUPTED'})
    expect(await partialFiles(root)).toEqual([])
  })
})
