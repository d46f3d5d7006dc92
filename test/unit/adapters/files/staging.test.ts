import {randomBytes} from 'node:crypto'
import {mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import {OutputPlace} from '../../../../src/adapters/files/output-place.js'
import {
  createFileStaging,
  type FileStagingOptions,
  type StagingMode,
} from '../../../../src/adapters/files/staging/index.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import type {FileStaging, SealedFile} from '../../../../src/core/ports/index.js'
import {incomingFile} from '../../../support/incoming-file.js'
import {noSteps, recordedLog} from '../../../support/quiet.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const {signal} = new AbortController()
const MTIME = Date.parse('2020-02-02T02:02:02Z')

interface Stage {
  readonly root: string
  readonly staging: FileStaging
}

async function stage(options: Partial<FileStagingOptions> & {root?: string} = {}): Promise<Stage> {
  const root = options.root ?? (await temporaryDirectory())
  const logger = recordedLog()
  const place = await OutputPlace.open({root, index: 'processed', concurrency: 2, clock: systemClock, logger})
  const staging = createFileStaging(place, {
    mode: 'auto',
    memoryBytes: 4 << 20,
    keepFiles: false,
    steps: noSteps,
    logger,
    signal,
    ...options,
  })
  onTestFinished(async () => {
    await staging.close()
    await place.close()
  })
  return {root, staging}
}

async function staged({staging}: Stage, name: string, content: Buffer): Promise<SealedFile> {
  const writer = await staging.open(incomingFile(name, content, {chunkCount: 3, mtimeMs: MTIME}), signal)
  const third = Math.ceil(content.length / 3)
  for (let at = 0; at < content.length; at += third) await writer.write(content.subarray(at, at + third))
  return writer.seal()
}

async function contentOf(file: SealedFile): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of file.read()) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function stagedFiles({root}: Stage): Promise<string[]> {
  const names = await readdir(path.join(root, '.streamtool/partial'), {recursive: true})
  return names.filter((name) => name.includes('.dir'))
}

describe('the content of a file', () => {
  const [small, large] = [randomBytes(9_000), randomBytes(3 << 20)]

  it.each([
    ['auto', small, {shown: true, inMemory: true}],
    ['auto', large, {shown: true, inMemory: false}],
    ['both', large, {shown: true, inMemory: true}],
    ['disk', small, {shown: true, inMemory: false}],
    ['disk', Buffer.alloc(0), {shown: true, inMemory: false}],
    ['memory', large, {shown: false, inMemory: true}],
    ['memory', randomBytes(5 << 20), {shown: false, inMemory: false}],
  ] as const)('mode %s, %#', async (mode: StagingMode, content, {shown, inMemory}) => {
    const under = await stage({mode})
    const file = await staged(under, 'run-7/Übersicht 3µm.csv', content)
    expect((await contentOf(file)).equals(content)).toBe(true)
    expect((await contentOf(file)).equals(content)).toBe(true)
    expect(file.content?.equals(content) ?? false).toBe(inMemory)
    expect(file.sizeBytes).toBe(content.length)
    if (file.localPath === null) expect(shown).toBe(false)
    else {
      expect(path.basename(file.localPath)).toBe('Übersicht 3µm.csv')
      expect((await readFile(file.localPath)).equals(content)).toBe(true)
    }
    await file.release()
    expect(await stagedFiles(under)).toEqual([])
  })

  it('shares one budget with that of all others, and gives it back', async () => {
    const under = await stage({mode: 'memory'})
    const first = await staged(under, 'a', large)
    const second = await staged(under, 'b', large)
    expect([first.content === null, second.content === null]).toEqual([false, true])
    expect((await contentOf(second)).equals(large)).toBe(true)
    await first.release()
    expect((await staged(under, 'c', large)).content).not.toBeNull()
  })

  it('is removed with all that a processor put beside it', async () => {
    const under = await stage()
    const file = await staged(under, 'scan.csv', small)
    await writeFile(`${file.localPath!}.npy`, 'beside')
    await file.release()
    await file.release()
    expect(await stagedFiles(under)).toEqual([])
  })

  it('may have a name that is too long for the disk only where it is not shown', async () => {
    const name = 'n'.repeat(300)
    await expect(staged(await stage(), name, small)).rejects.toMatchObject({code: 'FILE_NAME_CONFLICT'})
    expect((await staged(await stage({mode: 'memory'}), name, small)).content).toEqual(small)
  })

  it('of a dead process is removed by the next, that of a live one is not touched', async () => {
    const under = await stage()
    const live = await staged(under, 'live.csv', small)
    await mkdir(path.join(under.root, '.streamtool/partial/7/dead-1.dir'), {recursive: true})
    await writeFile(path.join(under.root, '.streamtool/partial/7/dead-1.dir/dead.csv'), 'x')
    await stage({root: under.root})
    expect(await readFile(live.localPath!)).toEqual(small)
    expect((await stagedFiles(under)).filter((name) => name.includes('dead'))).toEqual([])
  })
})

describe('before another attempt', () => {
  const content = randomBytes(2 << 20)
  const damages: [string, (file: string) => Promise<unknown>][] = [
    ['changed', (file) => writeFile(file, 'other')],
    ['moved away', (file) => rename(file, `${file}.moved`)],
    ['removed', (file) => rm(file)],
    ['replaced by a link', (file) => rm(file).then(() => symlink('/etc/hostname', file))],
  ]

  it.each(damages)('a file that was %s is written anew from memory', async (_, damage) => {
    const file = await staged(await stage({mode: 'both'}), 'a.raw', content)
    await damage(file.localPath!)
    await file.restore()
    expect((await readFile(file.localPath!)).equals(content)).toBe(true)
  })

  it.each(damages)('a file that was %s and is nowhere else is to be read again', async (_, damage) => {
    const file = await staged(await stage({mode: 'disk'}), 'a.raw', content)
    await damage(file.localPath!)
    await expect(file.restore()).rejects.toMatchObject({code: 'STORAGE_FAILED', retriable: true})
  })

  it('a file of which only the times changed is as it was', async () => {
    const file = await staged(await stage({mode: 'disk'}), 'a.raw', content)
    await utimes(file.localPath!, 1, 1)
    await file.restore()
  })

  it('what was changed in memory comes back from the disk', async () => {
    const file = await staged(await stage({mode: 'both'}), 'a.raw', content)
    file.content?.fill(0)
    await file.restore()
    expect(file.content?.equals(content)).toBe(true)
  })
})

describe('--keep-files', () => {
  const content = Buffer.from('kept')

  it('leaves a file under its path, with its time, instead of what was there', async () => {
    const under = await stage({keepFiles: true})
    await mkdir(path.join(under.root, 'run-7'))
    await writeFile(path.join(under.root, 'run-7/a.csv'), 'before')
    const file = await staged(under, 'run-7/a.csv', content)
    await file.keep()
    await file.release()
    const kept = path.join(under.root, 'run-7/a.csv')
    expect(await readFile(kept, 'utf8')).toBe('kept')
    expect((await stat(kept)).mtimeMs).toBe(MTIME)
    expect(await stagedFiles(under)).toEqual([])
  })

  it('keeps nothing of a file that the processor took away', async () => {
    const under = await stage({keepFiles: true})
    const file = await staged(under, 'a.csv', content)
    await rename(file.localPath!, path.join(under.root, 'mine.csv'))
    await file.keep()
    expect((await readdir(under.root)).sort()).toEqual(['.streamtool', 'mine.csv'])
  })

  it.each(['a directory', 'a link above it'])(
    'refuses %s in its place before anything is processed',
    async (what) => {
      const under = await stage({keepFiles: true})
      const elsewhere = await temporaryDirectory()
      if (what === 'a directory') await mkdir(path.join(under.root, 'x/a.csv'), {recursive: true})
      else await symlink(elsewhere, path.join(under.root, 'x'))
      await expect(staged(under, 'x/a.csv', content)).rejects.toMatchObject({code: 'FILE_NAME_CONFLICT'})
      expect(await readdir(elsewhere)).toEqual([])
    },
  )
})
