import {execFileSync} from 'node:child_process'
import {mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile} from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import {Readable} from 'node:stream'
import {describe, expect, it, onTestFinished} from 'vitest'
import {createFileSource, type FileSourceOptions} from '../../../../src/adapters/files/file-source.js'
import type {FileSource, SourceFile, SourceProblem} from '../../../../src/core/ports/index.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

/** Makes files that hold their own name; a name that ends with `/` is a directory. */
async function tree(...names: string[]): Promise<string> {
  const root = await temporaryDirectory()
  for (const name of names) {
    const location = path.join(root, name)
    await mkdir(name.endsWith('/') ? location : path.dirname(location), {recursive: true})
    if (!name.endsWith('/')) await writeFile(location, name)
  }
  return root
}

function sourceOf(inputs: readonly string[], options: Omit<FileSourceOptions, 'inputs'> = {}): FileSource {
  const source = createFileSource({inputs, ...options})
  onTestFinished(() => source.close())
  return source
}

async function list(source: FileSource): Promise<{files: SourceFile[]; problems: SourceProblem[]}> {
  const listed = {files: [] as SourceFile[], problems: [] as SourceProblem[]}
  for await (const item of source.list()) {
    if ('code' in item) listed.problems.push(item)
    else listed.files.push(item)
  }
  return listed
}

const pathsOf = async (
  inputs: readonly string[],
  options: Omit<FileSourceOptions, 'inputs'> = {},
): Promise<string[]> => (await list(sourceOf(inputs, options))).files.map((file) => file.path)

async function contentOf(file: SourceFile): Promise<Buffer> {
  const reader = await file.open()
  const buffer = Buffer.alloc(file.sizeBytes)
  await reader.read(buffer, 0)
  await reader.close()
  return buffer
}

describe('paths on the wire', () => {
  it('are the base name of a file and the place below a directory, in the order of inputs and names', async () => {
    const root = await tree('z/b/2', 'z/b/10', 'z/a', 'z/ä', 'z/B', 'single/file.txt')
    const inputs = [path.join(root, 'single/file.txt'), path.join(root, 'z')]
    expect(await pathsOf(inputs)).toEqual(['file.txt', 'B', 'a', 'b/10', 'b/2', 'ä'])
  })

  it('do not depend on how a directory is spelled', async () => {
    const root = await tree('d/x/f')
    for (const spelled of ['d', 'd/', './d/.', 'd/x/..']) {
      expect(await pathsOf([`${root}/${spelled}`])).toEqual(['x/f'])
    }
  })

  it('begin with the prefix', async () => {
    const root = await tree('d/x/f', 'g')
    const inputs = [path.join(root, 'd'), path.join(root, 'g')]
    expect(await pathsOf(inputs, {pathPrefix: 'lab/run 7/'})).toEqual(['lab/run 7/x/f', 'lab/run 7/g'])
  })

  it.each(['/abs', '..', 'a/../b', 'a//b', '.streamtool'])('refuse the prefix %j', (pathPrefix) => {
    expect(() => createFileSource({inputs: [], pathPrefix})).toThrow(
      expect.objectContaining({code: 'SETTING_INVALID'}),
    )
  })

  it('leave out what is excluded, and do not even look below an excluded directory', async () => {
    const root = await tree('keep/a.txt', 'keep/b.tmp', 'skip/x', 'c.tmp')
    await symlink('nowhere', path.join(root, 'd.tmp'))
    const asked: string[] = []
    const exclude = (relative: string, kind: string): boolean => {
      asked.push(relative)
      return kind === 'directory' ? relative === 'skip' : relative.endsWith('.tmp')
    }
    expect(await list(sourceOf([root], {exclude, pathPrefix: 'p'}))).toMatchObject({
      files: [{path: 'p/keep/a.txt'}],
      problems: [],
    })
    expect(asked).not.toContain('skip/x')
  })
})

describe('what is not an ordinary file', () => {
  it('follows links that are named, to files and to directories', async () => {
    const root = await tree('real/f', 'real/sub/g')
    await symlink(path.join(root, 'real'), path.join(root, 'to-directory'))
    await symlink(path.join(root, 'real/f'), path.join(root, 'to-file'))
    const {files, problems} = await list(
      sourceOf([path.join(root, 'to-directory'), path.join(root, 'to-file')]),
    )
    expect(files.map((file) => file.path)).toEqual(['f', 'sub/g', 'to-file'])
    expect((await contentOf(files[2]!)).toString()).toBe('real/f')
    expect(problems).toEqual([])
  })

  it('follows none inside a directory, ends in no circle, and says so', async () => {
    const root = await tree('d/f', 'outside/secret')
    await symlink('..', path.join(root, 'd/circle'))
    await symlink('../outside/secret', path.join(root, 'd/link'))
    await symlink('nowhere', path.join(root, 'd/dangling'))
    const {files, problems} = await list(sourceOf([path.join(root, 'd')]))
    expect(files.map((file) => file.path)).toEqual(['f'])
    expect(problems.map(({path: wirePath, code}) => [wirePath, code])).toEqual([
      ['circle', 'FILE_SKIPPED'],
      ['dangling', 'FILE_SKIPPED'],
      ['link', 'FILE_SKIPPED'],
    ])
  })

  it('does not read what a file was replaced with since it was listed', async () => {
    const root = await tree('d/f', 'secret')
    const {files} = await list(sourceOf([path.join(root, 'd')]))
    await rm(path.join(root, 'd/f'))
    await symlink('../secret', path.join(root, 'd/f'))
    await expect(files[0]!.open()).rejects.toMatchObject({code: 'FILE_UNREADABLE'})
    await rm(path.join(root, 'd/f'))
    execFileSync('mkfifo', [path.join(root, 'd/f')])
    await expect(files[0]!.open()).rejects.toMatchObject({code: 'FILE_UNREADABLE'})
  })

  it('skips FIFOs and sockets, and does not hang on one that is named', async () => {
    const root = await tree('f')
    execFileSync('mkfifo', [path.join(root, 'fifo')])
    const server = net.createServer().listen(path.join(root, 'socket'))
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const {files, problems} = await list(sourceOf([root, path.join(root, 'fifo')]))
    expect(files.map((file) => file.path)).toEqual(['f'])
    expect(problems.map(({code, path: wirePath}) => [code, wirePath])).toEqual([
      ['FILE_SKIPPED', 'fifo'],
      ['FILE_SKIPPED', 'socket'],
      ['FILE_UNREADABLE', null],
    ])
  })

  it('leaves out the state of streamtool', async () => {
    const root = await tree('f', '.streamtool/group', 'sub/.streamtool/index/x', '.hidden')
    expect(await pathsOf([root])).toEqual(['.hidden', 'f'])
  })
})

describe('what cannot be sent', () => {
  it.runIf(process.platform === 'linux')('reports names that are not UTF-8, and goes on', async () => {
    const root = await tree('d/good', 'd/rightly \ufffd here')
    const bad = Buffer.concat([Buffer.from(`${root}/d/`), Buffer.from([0x62, 0xff, 0x64])])
    await writeFile(bad, 'x')
    await mkdir(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xc3, 0x28])]))
    const {files, problems} = await list(sourceOf([root]))
    expect(files.map((file) => file.path)).toEqual(['d/good', 'd/rightly \ufffd here'])
    expect(problems).toEqual([
      {
        localPath: path.join(root, '\\xc3('),
        path: null,
        code: 'PATH_UNSENDABLE',
        reason: 'Its name cannot be sent: it is not valid UTF-8.',
      },
      expect.objectContaining({localPath: path.join(root, 'd/b\\xffd'), code: 'PATH_UNSENDABLE'}),
    ])
  })

  it('reports paths that the wire refuses, and goes on', async () => {
    const root = await tree('f')
    const prefix = Array.from({length: 20}, () => 'p'.repeat(200)).join('/')
    await writeFile(path.join(root, 'l'.repeat(200)), '')
    const {files, problems} = await list(sourceOf([root], {pathPrefix: prefix}))
    expect(files.map((file) => file.path)).toEqual([`${prefix}/f`])
    expect(problems).toMatchObject([{code: 'PATH_UNSENDABLE', localPath: path.join(root, 'l'.repeat(200))}])
  })

  it('reports a directory that cannot be read, and goes on', async () => {
    const root = await tree('a/f', 'b/f', 'c/f')
    const source = sourceOf([root])
    const paths: (string | null)[] = []
    for await (const item of source.list()) {
      paths.push('code' in item ? `${item.code} ${path.relative(root, item.localPath)}` : item.path)
      // After its parent was read, before it is read itself: what a lack of permission does, for root too.
      if (paths.length === 1) {
        await rename(path.join(root, 'b'), path.join(root, 'moved'))
      }
    }
    expect(paths).toEqual(['a/f', 'FILE_UNREADABLE b', 'c/f'])
  })

  it('refuses inputs that are missing, all by name, before anything is listed', async () => {
    const root = await tree('f')
    const missing = [path.join(root, 'no'), path.join(root, 'f/no')]
    await expect(list(sourceOf([path.join(root, 'f'), ...missing]))).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      exitCode: 2,
      message: `There are no ${missing.join(', ')}.`,
    })
  })
})

describe('inputs that would replace each other', () => {
  it.each([
    ['two files of one name', ['a/f', 'b/f'], ['a/f', 'b/f'], 'f'],
    ['a file and one in a directory', ['f', 'd/f'], ['f', 'd'], 'f'],
    ['files deep in two directories', ['a/x/y/f', 'b/x/y/f', 'a/g', 'b/h'], ['a', 'b'], 'x/y/f'],
    ['the same input twice', ['a/f'], ['a', 'a'], 'f'],
    ['the second and third of three directories', ['a/g', 'b/s/f', 'c/s/f'], ['a', 'b', 'c'], 's/f'],
  ])('refuses %s', async (_, files, inputs, wirePath) => {
    const root = await tree(...files)
    await expect(list(sourceOf(inputs.map((input) => path.join(root, input))))).rejects.toMatchObject({
      code: 'INPUT_COLLISION',
      facts: {path: wirePath},
    })
  })

  it('allows what only looks alike', async () => {
    const root = await tree('a/x/f', 'b/x/g', 'b/f/h', 'c/.streamtool/f', 'd/.streamtool/f', 'f')
    const inputs = ['a', 'b', 'c', 'd', 'f'].map((input) => path.join(root, input))
    expect(await pathsOf(inputs)).toEqual(['x/f', 'f/h', 'x/g', 'f'])
  })

  it('allows a collision that is excluded', async () => {
    const root = await tree('a/f.tmp', 'b/f.tmp', 'a/g', 'f.tmp')
    const inputs = ['a', 'b', 'f.tmp'].map((input) => path.join(root, input))
    expect(await pathsOf(inputs, {exclude: (relative) => relative.endsWith('.tmp')})).toEqual(['g'])
  })

  it('counts the stream among them', async () => {
    const root = await tree('f')
    const stdin = {stream: Readable.from([Buffer.from('x')]), name: 'f', spoolDir: await temporaryDirectory()}
    await expect(list(sourceOf(['-', path.join(root, 'f')], {stdin}))).rejects.toMatchObject({
      code: 'INPUT_COLLISION',
    })
  })
})

describe('a stream', () => {
  it('becomes a file of which nothing is seen on the disk, however often it is listed and opened', async () => {
    const spoolDir = path.join(await temporaryDirectory(), 'spool')
    const pieces = Array.from({length: 50}, (_, i) => Buffer.alloc(1000 + i, i))
    const root = await tree('f')
    const stdin = {stream: Readable.from(pieces), name: 'sub/stream', spoolDir}
    const source = sourceOf(['-', path.join(root, 'f')], {stdin, pathPrefix: 'p'})
    const [{files}, again] = await Promise.all([list(source), list(source)])
    expect(files.map((file) => [file.path, file.localPath])).toEqual([
      ['p/sub/stream', '-'],
      ['p/f', path.join(root, 'f')],
    ])
    expect(again.files.map((file) => file.path)).toEqual(['p/sub/stream', 'p/f'])
    const expected = Buffer.concat(pieces)
    expect((await contentOf(files[0]!)).equals(expected)).toBe(true)
    expect((await contentOf(files[0]!)).equals(expected)).toBe(true)
    expect(await readdir(spoolDir)).toEqual([])
  })

  it('can be empty', async () => {
    const stdin = {stream: Readable.from([]), name: 's', spoolDir: await temporaryDirectory()}
    const {files} = await list(sourceOf(['-'], {stdin}))
    expect(files).toMatchObject([{path: 's', sizeBytes: 0}])
  })

  it('fails the listing when it fails', async () => {
    const stream = Readable.from(
      (async function* () {
        yield Buffer.from('some')
        await Promise.resolve()
        throw new Error('broken pipe')
      })(),
    )
    const spoolDir = await temporaryDirectory()
    await expect(list(sourceOf(['-'], {stdin: {stream, name: 's', spoolDir}}))).rejects.toThrow('broken pipe')
    expect(await readdir(spoolDir)).toEqual([])
  })

  it.each(['', '/abs', '../x', 'a/', '.streamtool/x'])('refuses the name %j', async (name) => {
    const stdin = {stream: Readable.from([]), name, spoolDir: '/nowhere'}
    expect(() => createFileSource({inputs: ['-'], stdin})).toThrow(
      expect.objectContaining({code: 'PATH_UNSENDABLE'}),
    )
  })

  it('is a file called - when there is no stream', async () => {
    await expect(list(sourceOf(['-']))).rejects.toMatchObject({code: 'INPUT_MISSING'})
  })
})

describe('a large tree', () => {
  it('keeps its order over runs of many files', async () => {
    const names = Array.from(
      {length: 300},
      (_, i) => `d/${String(i).padStart(3, '0')}${i % 70 === 0 ? '/x' : ''}`,
    )
    const root = await tree(...names)
    expect(await pathsOf([path.join(root, 'd')])).toEqual(names.map((name) => name.slice(2)))
  })

  it('reads a file to the size it has, not the one it had', async () => {
    const root = await tree('f')
    const {files} = await list(sourceOf([root]))
    await truncate(path.join(root, 'f'), 0)
    const reader = await files[0]!.open()
    expect(await reader.read(Buffer.alloc(10), 0)).toBe(0)
    await reader.close()
    expect(await readFile(path.join(root, 'f'), 'utf8')).toBe('')
  })
})
