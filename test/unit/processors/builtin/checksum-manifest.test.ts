import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync} from 'node:fs'
import {appendFile, mkdir, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {beforeEach, describe, expect, it} from 'vitest'
import {checksumManifest} from '../../../../src/processors/builtin/checksum-manifest.js'
import {ManifestFiles} from '../../../../src/processors/builtin/manifest-files.js'
import {processedFile, processorContext} from '../../../support/processed-file.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

let home: string
beforeEach(async () => {
  home = await temporaryDirectory()
})

const context = () =>
  processorContext<NonNullable<typeof checksumManifest.flags>>(join(home, 'out'), {
    manifestName: 'SHA256SUMS',
  })
const shared = () => {
  const one = context()
  return (path: string, content: string) => checksumManifest.process!(processedFile(path, content), one)
}
const manifestOf = (subdir = '') => readFile(join(home, 'out', subdir, 'SHA256SUMS'), 'utf8')
const sha256 = (content: string) => createHash('sha256').update(content).digest('hex')
/** Exits with 0 only when every line is well-formed and right. */
const check = (subdir = '') =>
  execFileSync('sha256sum', ['--check', '--strict', join(home, 'out', subdir, 'SHA256SUMS')], {
    cwd: join(home, 'in', subdir),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
/** By this process, in all. */
const bytesRead = async () => Number(/rchar: (\d+)/.exec(await readFile('/proc/self/io', 'utf8'))?.[1])
async function place(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(home, 'in', path)), {recursive: true})
  await writeFile(join(home, 'in', path), content)
}

describe('checksum-manifest', () => {
  it('writes a manifest of each directory that `sha256sum -c` confirms, whatever the names are', async () => {
    const process = shared()
    const names = [
      'a.csv',
      '-',
      '--help',
      'with  two spaces',
      ' ',
      'back\\slash',
      'new\nline',
      'cr\rcr\r',
      '*',
      'ü\u2028',
    ]
    for (const subdir of ['', 'run 1/deep/'])
      for (const name of names) {
        await place(subdir + name, `content of ${name}`)
        await process(subdir + name, `content of ${name}`)
      }
    for (const subdir of ['', 'run 1/deep']) {
      expect(check(subdir).match(/: OK$/gm)).toHaveLength(names.length)
    }
  })

  it('notices a file that was changed', async () => {
    await place('a', 'changed')
    await shared()('a', 'as it was')
    expect(() => check()).toThrow(/1 computed checksum did NOT match/)
  })

  it('has one line for a file, however often it is processed, also after a restart', async () => {
    const process = shared()
    for (let i = 0; i < 3; i++) await process('a', 'same')
    await checksumManifest.teardown!(context())
    await shared()('a', 'same')
    expect(await manifestOf()).toBe(`${sha256('same')}  a\n`)
  })

  it('takes the place of the old checksum when a file has come with other content', async () => {
    const process = shared()
    for (const [path, content] of [
      ['a', 'old'],
      ['b', 'b'],
      ['a', 'new'],
      ['c', 'c'],
      ['a', 'newest'],
    ] as const)
      await process(path, content)
    const lines = [
      ['b', 'b'],
      ['c', 'c'],
      ['a', 'newest'],
    ] as const
    expect(await manifestOf()).toBe(lines.map(([name, text]) => `${sha256(text)}  ${name}\n`).join(''))
    expect(await readdir(join(home, 'out'))).toEqual(['SHA256SUMS'])
  })

  it('is complete when many files come at once, some of them twice', async () => {
    const process = shared()
    const paths = Array.from({length: 300}, (_, i) => `d${i % 3}/f${i % 200}`)
    await Promise.all(paths.map((path) => process(path, path)))
    const expected = new Set(paths)
    for (const subdir of ['d0', 'd1', 'd2']) {
      const names = (await manifestOf(subdir))
        .trimEnd()
        .split('\n')
        .map((line) => `${subdir}/${line.slice(66)}`)
      for (const name of names) expect(expected.delete(name)).toBe(true)
    }
    expect(expected.size).toBe(0)
  })

  it('cuts off a line that a crash left unfinished', async () => {
    await shared()('a', 'a')
    await checksumManifest.teardown!(context())
    await appendFile(join(home, 'out', 'SHA256SUMS'), `${sha256('b')}  unfini`)
    await shared()('c', 'c')
    expect(await manifestOf()).toBe(`${sha256('a')}  a\n${sha256('c')}  c\n`)
  })

  it('sees what another process appended, replaced or removed', async () => {
    const [ours, theirs] = [new ManifestFiles(), new ManifestFiles()]
    const path = join(home, 'SHA256SUMS')
    const enter = async (files: ManifestFiles, name: string, content: string) =>
      (await files.enter(path, name, sha256(content))).sync()
    await enter(ours, 'a', 'a')
    await enter(theirs, 'b', 'b')
    await enter(ours, 'b', 'b')
    await enter(theirs, 'a', 'A')
    await enter(ours, 'a', 'A')
    expect(await readFile(path, 'utf8')).toBe(`${sha256('b')}  b\n${sha256('A')}  a\n`)
    await rm(path)
    await enter(ours, 'a', 'A')
    expect(await readFile(path, 'utf8')).toBe(`${sha256('A')}  a\n`)
  })

  it('leaves lines that are not its own as they are', async () => {
    await mkdir(join(home, 'out'))
    await writeFile(join(home, 'out', 'SHA256SUMS'), `# kept by hand\n${sha256('x')} *binary\n`)
    const process = shared()
    await process('binary', 'x')
    await process('binary', 'y')
    expect(await manifestOf()).toBe(`# kept by hand\n${sha256('y')}  binary\n`)
  })

  it.skipIf(!existsSync('/proc/self/io'))('does not read a manifest again for each file', async () => {
    const files = new ManifestFiles()
    const path = join(home, 'SHA256SUMS')
    const checksum = sha256('x')
    const written = Array.from({length: 100_000}, (_, i) => `${checksum}  f${i}\n`).join('')
    await writeFile(path, written)
    const before = await bytesRead()
    for (let i = 0; i < 100; i++) await (await files.enter(path, `g${i}`, checksum)).sync()
    expect((await bytesRead()) - before).toBeLessThan(2 * written.length)
    expect((await stat(path)).size).toBeGreaterThan(written.length + 100 * 66)
  })

  it.each(['', '..', 'a/b', '.streamtool'])('refuses "%s" as the name of the manifest', (manifestName) => {
    const run = {...context(), options: {manifestName}}
    expect(() => checksumManifest.setup!(run)).toThrow(/is no name for a manifest/)
  })
})
