import {existsSync, readdirSync} from 'node:fs'
import {cp, mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {BucketStore} from '../../../../../src/sandbox/bucket/storage/bucket-store.js'
import type {ObjectRecord, Segment} from '../../../../../src/sandbox/bucket/storage/records.js'
import {compareUtf8, SortedNames} from '../../../../../src/sandbox/bucket/storage/sorted-names.js'
import {temporaryDirectory} from '../../../../support/temporary-directory.js'

const open = (dir: string) => new BucketStore(dir, 'b', 0)

async function* bytes(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

const object = (key: string, segments: readonly Segment[]): ObjectRecord => ({
  ...{key, segments, headers: {}, tags: [], etag: 'e', modifiedMs: 1, partCount: null},
  size: segments.reduce((sum, {size}) => sum + size, 0),
  checksum: {name: 'CRC32', type: 'FULL_OBJECT', value: 'AAAAAA=='},
})

async function read(store: BucketStore, key: string): Promise<string> {
  const {segments, size} = store.find(key)!
  let text = ''
  for await (const data of store.data.read(segments, 0, size)) text += data.toString()
  return text
}

const upload = (uploadId: string) => ({
  ...{uploadId, key: 'k', startedMs: 1, headers: {}, tags: []},
  checksum: {name: 'CRC32', type: 'FULL_OBJECT', isChosen: true} as const,
})

/** An upload of two parts; what its completion would make of it. */
async function uploadOfTwo(store: BucketStore) {
  store.createUpload(upload('u1'))
  const running = store.findUpload('u1')!
  const segments: Segment[] = []
  for (const [index, text] of ['one ', 'two'].entries()) {
    const segment = await store.data.write(bytes(text))
    await store.putPart(running, {...segment, partNumber: index + 1, etag: 'e', modifiedMs: 1, checksums: {}})
    segments.push(segment)
  }
  return {running, object: object('k', segments)}
}

it('keeps objects and uploads, and removes the bytes of what is replaced or deleted', async () => {
  const dir = await temporaryDirectory()
  const store = open(dir)
  await store.put(object('a', [await store.data.write(bytes('old'))]))
  await store.put(object('a', [await store.data.write(bytes('new'))]))
  await store.put(object('b', [await store.data.write(bytes('b'))]))
  await store.delete('b')
  await store.delete('b')
  await uploadOfTwo(store)
  for (const found of [store, open(dir)]) {
    expect(await read(found, 'a')).toBe('new')
    expect([...found.objectsFrom('')].map(({key}) => key)).toEqual(['a'])
    expect(found.findUpload('u1')?.parts.size).toBe(2)
    expect(readdirSync(join(dir, 'data'))).toHaveLength(3)
  }
})

it('makes an object of parts without touching their bytes; parts not wanted go', async () => {
  const dir = await temporaryDirectory()
  const store = open(dir)
  const {running, object} = await uploadOfTwo(store)
  const unwanted = await store.data.write(bytes('unwanted'))
  await store.putPart(running, {...unwanted, partNumber: 3, etag: 'e', modifiedMs: 1, checksums: {}})
  await store.complete(running, object)
  expect(await read(open(dir), 'k')).toBe('one two')
  expect(readdirSync(join(dir, 'data')).sort()).toEqual(object.segments.map(({file}) => file).sort())
  expect(readdirSync(join(dir, 'uploads'))).toEqual([])
})

it('finds the object, and no upload, when a crash came between the two steps of completing', async () => {
  const dir = await temporaryDirectory()
  const store = open(dir)
  const {object} = await uploadOfTwo(store)
  await store.put(object)
  const next = open(dir)
  expect(await read(next, 'k')).toBe('one two')
  expect([...next.uploads()]).toEqual([])
})

it('removes what crashes left: bytes nobody knows, half-written records, halves of uploads', async () => {
  const dir = await temporaryDirectory()
  const store = open(dir)
  await store.put(object('a', [await store.data.write(bytes('a'))]))
  await store.data.write(bytes('cut off'))
  const [group] = readdirSync(join(dir, 'objects'))
  await writeFile(join(dir, 'objects', group!, 'x.json.next'), '{"key":')
  await mkdir(join(dir, 'uploads', 'u2'))
  await writeFile(join(dir, 'uploads', 'u2', '1.json'), '{}')
  const next = open(dir)
  expect(await read(next, 'a')).toBe('a')
  expect(readdirSync(join(dir, 'data'))).toHaveLength(1)
  expect(existsSync(join(dir, 'uploads', 'u2'))).toBe(false)
})

it('leaves no file when the bytes do not come to their end', async () => {
  const dir = await temporaryDirectory()
  const store = open(dir)
  async function* broken() {
    yield Buffer.from('x')
    throw new Error('gone')
  }
  await expect(store.data.write(broken())).rejects.toThrow('gone')
  expect(readdirSync(join(dir, 'data'))).toEqual([])
})

it('lets a reader read on what is replaced meanwhile', async () => {
  const dir = await temporaryDirectory()
  const store = open(dir)
  const segments = [await store.data.write(bytes('first ')), await store.data.write(bytes('second'))]
  await store.put(object('a', segments))
  const reader = store.data.read(segments, 0, 12)
  const first = await reader.next()
  await store.put(object('a', [await store.data.write(bytes('new'))]))
  const second = await reader.next()
  expect([first.value, second.value].map(String)).toEqual(['first ', 'second'])
  expect((await reader.next()).done).toBe(true)
  expect(readdirSync(join(dir, 'data'))).toHaveLength(1)
})

it('survives being copied to another place', async () => {
  const [dir, other] = [await temporaryDirectory(), await temporaryDirectory()]
  const store = open(dir)
  await store.put(object('a/../../b', [await store.data.write(bytes('x'))]))
  await cp(dir, other, {recursive: true})
  expect(await read(open(other), 'a/../../b')).toBe('x')
})

it('sorts names by their bytes', () => {
  const names = ['', 'A', 'a', 'a/', 'a0', 'é', '\uffee', '🦊', '🦊a']
  expect([...names].reverse().sort(compareUtf8)).toEqual(names)
  for (const a of names)
    for (const b of names)
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const sorted = new SortedNames(names)
  sorted.delete('a/')
  sorted.add('B')
  expect([...sorted.from('B')]).toEqual(['B', 'a', 'a0', 'é', '\uffee', '🦊', '🦊a'])
})
