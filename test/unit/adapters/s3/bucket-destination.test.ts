import {randomBytes} from 'node:crypto'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {createMemorySpillStore} from '../../../../src/adapters/memory/memory-spill-store.js'
import type {SpillStore} from '../../../../src/core/ports/index.js'
import {checksumOf} from '../../../../src/adapters/s3/checksum.js'
import type {Fault} from '../../../../src/sandbox/bucket/index.js'
import {incomingFile} from '../../../support/incoming-file.js'
import {
  openBucketOn,
  PART_BYTES,
  startStore,
  type StoreUnderTest,
} from '../../../support/s3/bucket-under-test.js'
import {writeWhole} from '../../../support/s3/fault-matrix.js'
import {fastClock} from '../../../support/s3/hasty-clock.js'

let store: StoreUnderTest
beforeAll(async () => {
  store = await startStore()
})
afterAll(() => store.close())

const text = (content: string) => Buffer.from(content)

describe('a bucket in which an object has the key already', () => {
  it.each([
    ['skip', 'kept', 'first'],
    ['overwrite', 'delivered', 'second'],
  ] as const)('%s: %s', async (ifExists, outcome, content) => {
    const opened = await openBucketOn(store, {ifExists, isKnown: true})
    const path = `exists/${ifExists}`
    await writeWhole(opened, incomingFile(path, text('first'), {offset: 1}), text('first'))
    expect(await writeWhole(opened, incomingFile(path, text('second'), {offset: 2}), text('second'))).toBe(
      outcome,
    )
    expect((await store.object(path))?.toString()).toBe(content)
    await opened.destination.close()
  })

  it('fail: the file is refused', async () => {
    const opened = await openBucketOn(store, {ifExists: 'fail', isKnown: true})
    await writeWhole(opened, incomingFile('exists/fail', text('first')), text('first'))
    await expect(
      writeWhole(opened, incomingFile('exists/fail', text('second'), {offset: 2}), text('second')),
    ).rejects.toMatchObject({code: 'FILE_EXISTS'})
    await opened.destination.close()
  })

  it.each([
    ['small', 10],
    ['sent in parts', PART_BYTES + 1],
  ])('version: a further content (%s) lies beside the first, once', async (name, sizeBytes) => {
    const opened = await openBucketOn(store, {ifExists: 'version', isKnown: true})
    const path = `versions/${name}.raw`
    const [a, b] = [randomBytes(sizeBytes), randomBytes(sizeBytes)]
    const facts = {chunkCount: 6}
    expect(await writeWhole(opened, incomingFile(path, a, {...facts, uploadId: 'a'}), a)).toBe('delivered')
    const second = incomingFile(path, b, {...facts, offset: 1, uploadId: 'b'})
    expect(await writeWhole(opened, second, b)).toBe('delivered')
    expect(await writeWhole(opened, second, b)).toBe('unchanged')
    expect(await opened.destination.recall(second)).toBe('same')
    const third = incomingFile(path, b, {...facts, offset: 2, uploadId: 'c'})
    expect(await writeWhole(opened, third, b)).toBe('unchanged')
    const key = `versions/${name}.${second.sha512.toString('hex').slice(0, 12)}.raw`
    expect((await store.object(path))?.equals(a)).toBe(true)
    expect((await store.object(key))?.equals(b)).toBe(true)
    await opened.destination.close()
  })

  it.each([
    ['fail', 10],
    ['fail', PART_BYTES + 1],
    ['version', 10],
    ['version', PART_BYTES + 1],
    ['skip', 10],
  ] as const)(
    '%s: the same content (%i bytes), uploaded again, is there already',
    async (ifExists, sizeBytes) => {
      const opened = await openBucketOn(store, {ifExists, isKnown: true})
      const path = `again/${ifExists}-${sizeBytes}`
      const content = randomBytes(sizeBytes)
      const first = incomingFile(path, content, {chunkCount: 6, uploadId: 'a'})
      expect(await writeWhole(opened, first, content)).toBe('delivered')
      const again = incomingFile(path, content, {chunkCount: 6, uploadId: 'b', offset: 9, topic: 'other'})
      expect(await writeWhole(opened, again, content)).toBe('unchanged')
      expect([...(await store.objects()).keys()].filter((key) => key.startsWith(path))).toEqual([path])
      expect(await store.pendingUploads(path)).toEqual([])
      await opened.destination.close()
    },
  )

  it('two paths of one key: the second is refused rather than put over the first', async () => {
    const opened = await openBucketOn(store, {key: 'same/{name}', isKnown: true})
    await writeWhole(opened, incomingFile('a/x', text('a')), text('a'))
    await expect(
      writeWhole(opened, incomingFile('b/x', text('b'), {offset: 9}), text('b')),
    ).rejects.toMatchObject({code: 'FILE_EXISTS'})
    await opened.destination.close()
  })
})

describe('a bucket', () => {
  it("refuses a file whose CRC-32 is not its uploader's", async () => {
    const opened = await openBucketOn(store, {isKnown: true})
    const file = incomingFile('crc', text('content'), {crc32: Buffer.from([1, 2, 3, 4])})
    await expect(writeWhole(opened, file, text('content'))).rejects.toMatchObject({
      code: 'FILE_CRC_MISMATCH',
      exitCode: 5,
    })
    expect(await store.object('crc')).toBeNull()
    await opened.destination.close()
  })

  it('reads objects back when the store is given no checksums', async () => {
    const opened = await openBucketOn(store, {checksum: null})
    let reads = 0
    const content = randomBytes(PART_BYTES + 5)
    store.faults.set('read-back', ({operation, phase}) => {
      if (operation === 'GetObject' && phase === 'before') reads += 1
      return undefined
    })
    expect(opened.capabilities).toMatchObject({readsBack: true, perRequest: false})
    expect(await writeWhole(opened, incomingFile('read-back', content, {chunkCount: 6}), content)).toBe(
      'delivered',
    )
    expect(reads).toBe(1)
    expect((await store.object('read-back'))?.equals(content)).toBe(true)
    await opened.destination.close()
  })

  it('does not believe the metadata of an object that did not pass when it was read back', async () => {
    const opened = await openBucketOn(store, {checksum: null})
    const content = randomBytes(PART_BYTES + 5)
    const file = incomingFile('read-back/bad', content, {chunkCount: 6})
    store.faults.set('read-back/bad', ({operation, phase}) =>
      operation === 'GetObject' && phase === 'after' ? {kind: 'corrupted'} : undefined,
    )
    for (let start = 1; start <= 2; start += 1)
      await expect(writeWhole(opened, file, content)).rejects.toMatchObject({
        code: 'OBJECT_CORRUPTED',
        exitCode: 5,
      })
    store.faults.delete('read-back/bad')
    expect(await writeWhole(opened, file, content)).toBe('unchanged')
    await opened.destination.close()
  })

  it('spills parts beyond its memory, and waits for no other file', async () => {
    const opened = await openBucketOn(store, {isKnown: true, memoryBytes: 2 << 20})
    const {destination, spill} = opened
    const {signal} = new AbortController()
    const contents = Array.from({length: 12}, () => randomBytes(400_000))
    const writers = await Promise.all(
      contents.map((content, i) =>
        destination.open(incomingFile(`open/${i}`, content, {chunkCount: 2}), signal),
      ),
    )
    for (const [i, writer] of writers.entries()) await writer.write(contents[i]!.subarray(0, 200_000))
    expect(spill.openFiles).toBeGreaterThan(0)
    for (const [i, writer] of writers.entries()) await writer.write(contents[i]!.subarray(200_000))
    await Promise.all(writers.map((writer) => writer.finish(400_000)))
    for (const [i, content] of contents.entries())
      expect((await store.object(`open/${i}`))?.equals(content)).toBe(true)
    expect(spill.openFiles).toBe(0)
    await destination.close()
  })

  it.each([
    ['in one piece', 900_000],
    ['in parts', PART_BYTES + 1],
  ])('has what our own disk changed meanwhile refused by the store (%s)', async (name, sizeBytes) => {
    const spill = createMemorySpillStore()
    const flipping: SpillStore = {
      create: async (signal) => {
        const file = await spill.create(signal)
        const read = async (position: number, place: Buffer) => {
          await file.read(position, place)
          place[place.length >> 1]! ^= 1
        }
        return {append: (data) => file.append(data), read, close: () => file.close()}
      },
    }
    const opened = await openBucketOn(store, {isKnown: true, memoryBytes: 1 << 20, spill: flipping})
    const content = randomBytes(sizeBytes)
    const file = incomingFile(`disk/${name}`, content, {chunkCount: 6})
    await expect(writeWhole(opened, file, content)).rejects.toMatchObject({
      code: 'OBJECT_CORRUPTED',
      exitCode: 5,
    })
    expect(await store.object(`disk/${name}`)).toBeNull()
    expect(await store.pendingUploads('disk/')).toEqual([])
    await opened.destination.close()
  })

  it('ends an upload that could not be ended in an outage as soon as its file is there', async () => {
    const opened = await openBucketOn(store, {isKnown: true})
    const path = 'outage/large'
    const content = randomBytes(2 * PART_BYTES)
    store.faults.set(path, ({operation, phase}) =>
      phase === 'before' && operation === 'AbortMultipartUpload' ? {kind: 'reset'} : undefined,
    )
    const first = incomingFile(path, content, {chunkCount: 10, uploadId: 'first'})
    await expect(writeWhole(opened, first, content, true)).rejects.toMatchObject({code: 'STORE_UNREACHABLE'})
    expect(await store.pendingUploads(path)).toEqual([path])
    store.faults.delete(path)
    const second = incomingFile(path, content, {chunkCount: 10, uploadId: 'second', offset: 20})
    expect(await writeWhole(opened, second, content)).toBe('delivered')
    expect(await store.pendingUploads(path)).toEqual([])
    await opened.destination.close()
  })

  it.each([
    [400, 'ExpiredToken'],
    [403, 'RequestTimeTooSkewed'],
    [503, 'SlowDown'],
  ])('asks once more when HEAD is refused with %i, which cannot say that it is %s', async (status, code) => {
    const {client, destination} = await openBucketOn(store, {isKnown: true})
    let calls = 0
    store.faults.set('head', ({phase}) => {
      if (phase === 'after' || (calls += 1) > 1) return undefined
      return {kind: 'error', status, code}
    })
    expect(await client.head('head')).toBeNull()
    expect(calls).toBe(2)
    store.faults.delete('head')
    await destination.close()
  })

  it('refuses one object for a reason that is of that object alone', async () => {
    const {client, destination} = await openBucketOn(store, {isKnown: true})
    store.faults.set('a/b', ({phase}) =>
      phase === 'before' ? {kind: 'error', status: 409, code: 'ObjectParentIsFile'} : undefined,
    )
    const held = {code: 'OBJECT_REFUSED', refusal: 'other'}
    const body = {content: text('x'), checksum: checksumOf('CRC32', text('x'))}
    await expect(client.put('a/b', body, 'absent', {})).rejects.toMatchObject(held)
    await expect(client.put('c', body, 'absent', {CacheControl: 'a\nb'})).rejects.toMatchObject(held)
    store.faults.delete('a/b')
    await destination.close()
  })

  it('says of an object what it is', async () => {
    const opened = await openBucketOn(store, {isKnown: true})
    const file = incomingFile('dir/ä.csv', text('x'), {
      uploadId: 'u',
      mtimeMs: 5,
      offset: 7,
      metadata: {colour: 'rot ü'},
    })
    await writeWhole(opened, file, text('x'))
    expect(await store.metadata('dir/ä.csv')).toMatchObject({
      streamtool: '1',
      'source-path': 'dir/%C3%A4.csv',
      sha512: file.sha512.toString('hex'),
      'upload-id': 'u',
      mtime: '5',
      offset: '7',
      size: '1',
      colour: 'rot%20%C3%BC',
    })
    await opened.destination.close()
  })

  it.each<Fault>([
    {kind: 'error', status: 500, code: 'InternalError'},
    {kind: 'error', status: 503, code: 'SlowDown'},
    {kind: 'error-in-200', code: 'InternalError'},
    {kind: 'reset'},
  ])('refuses one object that a store fails at for ever, while others can be written: %o', async (fault) => {
    const opened = await openBucketOn(store, {isKnown: true, clock: fastClock(500)})
    store.faults.set('poison', ({phase}) => (phase === 'after' ? undefined : fault))
    await expect(writeWhole(opened, incomingFile('poison', text('x')), text('x'))).rejects.toMatchObject({
      code: 'OBJECT_REFUSED',
      facts: {key: 'poison'},
    })
    const sound = incomingFile(`sound/${JSON.stringify(fault)}`, text('x'))
    expect(await writeWhole(opened, sound, text('x'))).toBe('delivered')
    const said = opened.log.entries.filter(({level}) => level === 'warn')
    expect(said).toHaveLength(1)
    store.faults.delete('poison')
    await opened.destination.close()
  })

  it('waits for a store that fails, says so once, and goes on', async () => {
    const opened = await openBucketOn(store, {isKnown: true})
    let failures = 0
    store.faults.set('away', ({phase}) => {
      if (phase === 'after' || (failures += 1) > 12) return undefined
      return {kind: 'error', status: 500, code: 'InternalError'}
    })
    expect(await writeWhole(opened, incomingFile('away', text('x')), text('x'))).toBe('delivered')
    const said = opened.log.entries.filter(({level}) => level === 'warn')
    expect(said).toHaveLength(1)
    expect(said[0]?.message).toContain('Waiting until that is over')
    await opened.destination.close()
  })
})
