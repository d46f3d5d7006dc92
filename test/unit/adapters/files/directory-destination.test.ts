import {randomBytes} from 'node:crypto'
import {existsSync} from 'node:fs'
import {chmod, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import {
  createDirectoryDestination,
  type DirectoryDestinationOptions,
} from '../../../../src/adapters/files/directory-destination.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import type {Destination} from '../../../../src/core/ports/index.js'
import {incomingFile, type IncomingFileFacts} from '../../../support/incoming-file.js'
import {noSteps, recordedLog} from '../../../support/quiet.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const {signal} = new AbortController()

async function open(root: string, options: Partial<DirectoryDestinationOptions> = {}): Promise<Destination> {
  const destination = await createDirectoryDestination({
    root,
    concurrency: 8,
    clock: systemClock,
    logger: recordedLog(),
    steps: noSteps,
    ...options,
  })
  onTestFinished(() => destination.close())
  return destination
}

async function deliver(
  destination: Destination,
  filePath: string,
  content: string,
  facts: IncomingFileFacts = {},
): Promise<string> {
  const data = Buffer.from(content)
  const writer = await destination.open(incomingFile(filePath, data, facts), signal)
  try {
    await writer.write(data)
    return await writer.finish(data.length)
  } catch (thrown) {
    await writer.discard()
    throw thrown
  }
}

const partialFiles = async (root: string): Promise<string[]> =>
  (await readdir(path.join(root, '.streamtool/partial'), {recursive: true})).filter((file) =>
    file.endsWith('.part'),
  )

const visibleIn = async (root: string): Promise<string[]> =>
  (await readdir(root, {recursive: true})).filter((file) => !file.startsWith('.streamtool'))

describe('a directory destination', () => {
  it('gives files the mtime of the original and the mode of an ordinary new file', async () => {
    const root = await temporaryDirectory()
    const destination = await open(root)
    const mtimeMs = 1_600_000_000_123.25
    await deliver(destination, 'small', 'x', {mtimeMs})
    await deliver(destination, 'streamed', 'x', {mtimeMs, chunkCount: 2})
    await writeFile(path.join(root, 'ordinary'), '')
    const ordinary = await stat(path.join(root, 'ordinary'))
    for (const name of ['small', 'streamed']) {
      const stats = await stat(path.join(root, name))
      expect(stats.mtimeMs).toBeCloseTo(mtimeMs, 1)
      expect(stats.mode).toBe(ordinary.mode)
    }
  })

  it.each([8.64e15, -8.64e15, 1e300, Infinity, NaN, -0.5])(
    'takes any mtime from the wire (%d)',
    async (mtimeMs) => {
      const root = await temporaryDirectory()
      expect(await deliver(await open(root), 'f', 'x', {mtimeMs})).toBe('delivered')
      expect(await readFile(path.join(root, 'f'), 'utf8')).toBe('x')
    },
  )

  it('keeps its own state where only its owner can look', async () => {
    const root = await temporaryDirectory()
    const destination = await open(root)
    await deliver(destination, 'f', 'x')
    expect((await stat(path.join(root, '.streamtool'))).mode & 0o777).toBe(0o700)
    expect((await stat(path.join(root, '.streamtool/index/0/level-0.v1'))).mode & 0o777).toBe(0o600)
  })

  it.runIf(process.platform === 'linux')('lets files inherit the group of a shared directory', async () => {
    const root = await temporaryDirectory()
    await chmod(root, 0o2770)
    const destination = await open(root)
    await deliver(destination, 'a/f', 'x')
    expect((await stat(path.join(root, '.streamtool/partial/0'))).mode & 0o2000).toBe(0o2000)
    expect((await stat(path.join(root, 'a/f'))).gid).toBe((await stat(root)).gid)
  })

  it('reports its steps in order, before and after what they name', async () => {
    const root = await temporaryDirectory()
    const seen: string[] = []
    const target = path.join(root, 'f')
    const steps = {reached: (step: string) => void seen.push(`${step} ${existsSync(target)}`)}
    await deliver(await open(root, {steps}), 'f', 'x')
    expect(seen).toEqual([
      'before-write false',
      'after-write false',
      'before-rename false',
      'after-rename true',
    ])
  })

  it.runIf(process.platform === 'linux')('holds few descriptors for many open files', async () => {
    const root = await temporaryDirectory()
    const destination = await open(root)
    const descriptors = async (): Promise<number> => (await readdir('/proc/self/fd')).length
    const before = await descriptors()
    const writers = []
    for (let i = 0; i < 500; i += 1) {
      const writer = await destination.open(incomingFile(`f${i}`, Buffer.from('x'), {chunkCount: 2}), signal)
      await writer.write(Buffer.from('x'))
      writers.push(writer)
    }
    expect((await descriptors()) - before).toBeLessThan(80)
    await Promise.all(writers.map((writer) => writer.discard()))
    expect((await descriptors()) - before).toBeLessThan(10)
  })

  it('writes a large file out while it comes in, and has all of it at the end', async () => {
    const root = await temporaryDirectory()
    const piece = randomBytes(1024 * 1024)
    const writer = await (await open(root)).open(incomingFile('large', piece, {chunkCount: 80}), signal)
    for (let i = 0; i < 80; i += 1) await writer.write(piece)
    expect(await writer.finish(80 * piece.length)).toBe('delivered')
    const content = await readFile(path.join(root, 'large'))
    expect(content.length).toBe(80 * piece.length)
    expect(content.subarray(-piece.length).equals(piece)).toBe(true)
  })

  it('makes a directory again that somebody removed', async () => {
    const root = await temporaryDirectory()
    const destination = await open(root)
    await deliver(destination, 'a/b/first', 'x')
    await rm(path.join(root, 'a'), {recursive: true})
    expect(await deliver(destination, 'a/b/second', 'x')).toBe('delivered')
    expect(await readdir(path.join(root, 'a/b'))).toEqual(['second'])
  })

  it('delivers again what somebody changed since', async () => {
    const root = await temporaryDirectory()
    const destination = await open(root)
    const facts = {mtimeMs: 1_600_000_000_123.4, uploadId: 'u'}
    expect(await deliver(destination, 'f', 'good', facts)).toBe('delivered')
    expect(await deliver(destination, 'f', 'good', facts)).toBe('unchanged')
    await writeFile(path.join(root, 'f'), 'evil')
    expect(await deliver(destination, 'f', 'good', facts)).toBe('delivered')
    expect(await readFile(path.join(root, 'f'), 'utf8')).toBe('good')
  })

  it('delivers an older generation again where the newer one is gone', async () => {
    const root = await temporaryDirectory()
    const destination = await open(root)
    await deliver(destination, 'f', 'new', {offset: 2})
    await rm(path.join(root, 'f'))
    expect(await deliver(destination, 'f', 'old', {offset: 1})).toBe('delivered')
  })
})

describe('names that cannot be written', () => {
  it.each(['../escape', '/tmp/escape', '.streamtool/group', 'a/../../escape', 'nul\0byte'])(
    'refuses %j when it is opened',
    async (hostile) => {
      const root = await temporaryDirectory()
      const destination = await open(path.join(root, 'out'))
      const file = {...incomingFile('f', Buffer.from('x')), path: hostile}
      await expect(destination.open(file, signal)).rejects.toMatchObject({code: 'FILE_NAME_CONFLICT'})
      expect(await readdir(root)).toEqual(['out'])
    },
  )

  it('never writes through a symbolic link to a directory', async () => {
    const root = await temporaryDirectory()
    const outside = await temporaryDirectory()
    await symlink(outside, path.join(root, 'link'))
    const destination = await open(root)
    for (const name of ['link/f', 'link/sub/f']) {
      await expect(deliver(destination, name, 'x')).rejects.toMatchObject({code: 'FILE_NAME_CONFLICT'})
    }
    expect(await readdir(outside)).toEqual([])
    expect(await partialFiles(root)).toEqual([])
  })

  it('replaces a symbolic link under the name of a file, and not what it points to', async () => {
    const root = await temporaryDirectory()
    const outside = path.join(await temporaryDirectory(), 'precious')
    await writeFile(outside, 'precious')
    await symlink(outside, path.join(root, 'f'))
    expect(await deliver(await open(root), 'f', 'x')).toBe('delivered')
    expect((await lstat(path.join(root, 'f'))).isFile()).toBe(true)
    expect(await readFile(outside, 'utf8')).toBe('precious')
  })

  it('follows a link that the user named as the output directory', async () => {
    const real = await temporaryDirectory()
    const link = path.join(await temporaryDirectory(), 'out')
    await symlink(real, link)
    await deliver(await open(link), 'a/f', 'x')
    expect(await readFile(path.join(real, 'a/f'), 'utf8')).toBe('x')
  })

  it.each([
    [
      'a directory is there',
      'taken',
      async (root: string) => mkdir(path.join(root, 'taken/full'), {recursive: true}),
    ],
    ['a parent is a file', 'file/x', async (root: string) => writeFile(path.join(root, 'file'), '')],
    [
      'a parent further up is a file',
      'file/y/x',
      async (root: string) => writeFile(path.join(root, 'file'), ''),
    ],
    ['the name is too long', 'n'.repeat(256), async () => undefined],
    ["a directory's name is too long", `${'n'.repeat(256)}/x`, async () => undefined],
  ])('says so when %s', async (_, name, prepare) => {
    const root = await temporaryDirectory()
    await prepare(root)
    const destination = await open(root)
    const before = await visibleIn(root)
    for (const chunkCount of [1, 2]) {
      await expect(deliver(destination, name, 'x', {chunkCount})).rejects.toMatchObject({
        code: 'FILE_NAME_CONFLICT',
        message: expect.stringContaining(root) as string,
      })
    }
    expect(await partialFiles(root)).toEqual([])
    expect(await visibleIn(root)).toEqual(before)
    expect(await deliver(destination, 'ordinary', 'x')).toBe('delivered')
  })

  it.runIf(process.platform === 'linux')('says so when the output directory cannot be made', async () => {
    await expect(open('/sys/streamtool-test')).rejects.toMatchObject({code: 'STORAGE_FORBIDDEN', exitCode: 6})
    await expect(open('/dev/null/out')).rejects.toMatchObject({code: 'FILE_NAME_CONFLICT'})
  })

  it('refuses to keep its state where a link leads', async () => {
    const root = await temporaryDirectory()
    const outside = await temporaryDirectory()
    await symlink(outside, path.join(root, '.streamtool'))
    await expect(open(root)).rejects.toMatchObject({code: 'STORAGE_FORBIDDEN'})
    expect(await readdir(outside)).toEqual([])
  })
})
