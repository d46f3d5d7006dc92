import {describe, expect, it} from 'vitest'
import type {MemoryKafka} from '../../../src/adapters/memory/kafka/index.js'
import {encodeChunk} from '../../../src/core/chunk/index.js'
import {StreamtoolError} from '../../../src/core/errors.js'
import type {OutgoingRecord} from '../../../src/core/record.js'
import {chunksOf, type FileForTest, headersOf, recordsOf} from '../../support/chunks.js'
import {
  deliver,
  kafkaWith,
  memorySpill,
  RecordingReporter,
  SharedStore,
  StoreDestination,
} from '../../support/delivery.js'

let clockMs = 1_700_000_000_000
async function send(kafka: MemoryKafka, records: readonly OutgoingRecord[], partition = 0): Promise<number> {
  let last = -1
  for (const record of records) {
    const sent = await kafka
      .producer()
      .send({topic: 't', partition, records: [{...record, timestampMs: clockMs++}]})
    last = sent.baseOffset
  }
  return last
}
const upload = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const text = (length: number, letter = 'a') => Buffer.alloc(length, letter)
const file = (path: string, content: Buffer, rest: Partial<FileForTest> = {}): FileForTest => ({
  path,
  content,
  chunkBytes: 10,
  ...rest,
})

async function setUp(partitions = 1) {
  const kafka = await kafkaWith(partitions)
  const store = new SharedStore()
  const reporter = new RecordingReporter()
  const run = (overrides: Partial<Parameters<typeof deliver>[0]> = {}) =>
    deliver({kafka, destination: new StoreDestination(store), reporter, ...overrides})
  const committed = async () => (await kafka.admin().committedOffsets('g', 't')).map(({offset}) => offset)
  return {kafka, store, reporter, run, committed}
}

describe('files come out as they went in', () => {
  it('empty, of one byte, of one chunk, of many', async () => {
    const {kafka, store, run, committed} = await setUp()
    const files = {empty: text(0), 'one byte': text(1), 'a/one chunk': text(10), 'a/b/many': text(95)}
    let last = 0
    for (const [path, content] of Object.entries(files))
      last = await send(kafka, recordsOf(file(path, content)))
    const {report, exitCode} = await run()
    expect(exitCode).toBe(0)
    expect(report.files).toMatchObject({delivered: 4, failed: 0, open: 0, incomplete: 0})
    for (const [path, content] of Object.entries(files))
      expect(store.content(path)).toBe(content.toString('latin1'))
    expect(await committed()).toEqual([last + 1])
  })

  it('with chunks in reverse, twice, and interleaved over partitions', async () => {
    const {kafka, store, run} = await setUp(3)
    const a = recordsOf(file('a', text(55)))
    const b = recordsOf(file('b', text(77, 'b'), {uploadId: null}))
    for (const [i, record] of [...a, ...b, ...a].reverse().entries()) await send(kafka, [record], i % 3)
    const {report} = await run()
    expect(report.files.delivered).toBe(2)
    expect(store.content('a')).toBe('a'.repeat(55))
    expect(store.content('b')).toBe('b'.repeat(77))
  })

  it('by way of a spill file when the reorder buffer is full, and leaves none behind', async () => {
    const {kafka, store, run} = await setUp()
    const content = Buffer.concat(Array.from({length: 50}, (_, i) => text(10, String.fromCharCode(65 + i))))
    await send(kafka, recordsOf(file('big', content)).reverse())
    const spill = memorySpill()
    await run({spill, options: {memoryBytes: 100}})
    expect(store.content('big')).toBe(content.toString('latin1'))
    expect(spill.spilledBytes).toBeGreaterThan(300)
    expect(spill.open).toBe(0)
  })
})

describe('a chunk that copies the upload id of a file and says that it has more chunks', () => {
  it('does not keep the file from being delivered', async () => {
    const {kafka, store, run} = await setUp()
    const real = recordsOf(file('a', text(20)))
    const sha512 = chunksOf(file('a', text(20)))[0]!.sha512
    const [, ...forged] = chunksOf({path: 'a', content: text(500, 'x'), chunkBytes: 10})
    const forgery = encodeChunk({...forged[48]!, sha512}, headersOf(file('a', text(20))), 'openmsistream')
    await send(kafka, [forgery, ...real])
    expect((await run()).report.files).toMatchObject({delivered: 1, superseded: 1})
    expect(store.content('a')).toBe('a'.repeat(20))
  })
})

describe('the same run again', () => {
  it('delivers nothing twice', async () => {
    const {kafka, store, run} = await setUp()
    await send(kafka, recordsOf(file('a', text(30))))
    await run()
    const {report} = await run()
    expect(report).toMatchObject({records: 0, files: {delivered: 0}})
    expect(store.deliveries).toEqual(['a'])
  })

  it('reads again only what was open: finished files above an incomplete one are not delivered again', async () => {
    const {kafka, store, run, committed} = await setUp()
    const open = recordsOf(file('open', text(30)))
    await send(kafka, open.slice(0, 2))
    for (let i = 0; i < 20; i++) await send(kafka, recordsOf(file(`f${i}`, text(25))))
    const first = await run()
    expect(first.report.files).toMatchObject({delivered: 20, incomplete: 1})
    expect(first.exitCode).toBe(4)
    expect(await committed()).toEqual([0])

    await send(kafka, open.slice(2))
    const second = await run()
    expect(second.report.files).toMatchObject({delivered: 1, incomplete: 0})
    expect(second.exitCode).toBe(0)
    expect(store.deliveries.filter((path) => path !== 'open')).toHaveLength(20)
    expect(store.content('open')).toBe('a'.repeat(30))
  })

  it('by another process of the group, after the first died without a word, does the same', async () => {
    const {kafka, store, run} = await setUp()
    const open = recordsOf(file('open', text(30)))
    await send(kafka, open.slice(0, 2))
    for (let i = 0; i < 9; i++) await send(kafka, recordsOf(file(`f${i}`, text(25))))
    const dying = new StoreDestination(store)
    dying.onStep = (step) => {
      if (step === 14) dying.killed = true
    }
    const zombie = new AbortController()
    void deliver({kafka, destination: dying, signal: zombie.signal, options: {once: false}}).catch(
      () => undefined,
    )
    while (!dying.killed) await new Promise((resolve) => setImmediate(resolve))
    const [member] = await kafka.admin().groupMembers('g')
    kafka.expireMember('g', member!.memberId, {noticedAfter: new Promise(() => undefined)})

    await send(kafka, open.slice(2))
    const {report} = await run()
    expect(report.files.incomplete).toBe(0)
    expect(new Set(store.deliveries).size).toBe(10)
    // What was delivered since the last commit (every three files) may come again, nothing else.
    expect(store.deliveries.length).toBeLessThanOrEqual(10 + 3)
    zombie.abort()
  })
})

describe('generations of a path', () => {
  it('never mix, and the newest wins', async () => {
    const {kafka, store, run} = await setUp()
    const old = recordsOf(file('p', text(30, 'o'), {uploadId: upload(1)}))
    const young = recordsOf(file('p', text(30, 'y'), {uploadId: upload(2)}))
    await send(kafka, [old[0]!, young[0]!, old[1]!, young[1]!, young[2]!, old[2]!])
    const {report} = await run()
    expect(store.content('p')).toBe('y'.repeat(30))
    // The older one may have been delivered before the newer was complete.
    expect(report.files.delivered + report.files.superseded).toBe(2)
  })

  it('a file that shrank while its earlier upload is unfinished is delivered', async () => {
    const {kafka, store, run, committed} = await setUp()
    await send(kafka, recordsOf(file('p', text(100, 'o'), {uploadId: null})).slice(0, 7))
    const last = await send(kafka, recordsOf(file('p', text(30, 's'), {uploadId: null})))
    const {report} = await run()
    expect(store.content('p')).toBe('s'.repeat(30))
    expect(report.files).toMatchObject({delivered: 1, superseded: 1, incomplete: 0})
    expect(await committed()).toEqual([last + 1])
  })

  it('A, then B, then A again ends with A', async () => {
    const {kafka, store, run} = await setUp()
    for (const [n, letter] of ['a', 'b', 'a'].entries()) {
      for (const uploadId of [upload(n), null]) {
        const path = uploadId === null ? 'without ids' : 'with ids'
        await send(kafka, recordsOf(file(path, text(30, letter), {uploadId})))
      }
    }
    await run()
    expect(store.content('with ids')).toBe('a'.repeat(30))
    expect(store.content('without ids')).toBe('a'.repeat(30))
  })

  it('the same content cut into other chunks is another assembly, not poison', async () => {
    const {kafka, store, run} = await setUp()
    const ten = recordsOf(file('p', text(40), {uploadId: null, chunkBytes: 10}))
    const seven = recordsOf(file('p', text(40), {uploadId: null, chunkBytes: 7}))
    await send(kafka, [ten[0]!, seven[0]!, ten[1]!, ...seven.slice(1)])
    const {report} = await run()
    expect(report).toMatchObject({poison: 0, files: {delivered: 1}})
    expect(store.content('p')).toBe('a'.repeat(40))
  })

  it('a stray copy of a chunk after its file was delivered opens nothing', async () => {
    const {kafka, run, committed} = await setUp()
    for (const uploadId of [upload(1), null]) {
      const records = recordsOf(file(`p ${String(uploadId)}`, text(30), {uploadId}))
      await send(kafka, [...records, records[1]!])
    }
    const {report} = await run()
    expect(report.files).toMatchObject({delivered: 2, open: 0, incomplete: 0})
    expect(await committed()).toEqual([8])
  })
})

describe('what cannot be delivered', () => {
  it('a poison record is counted, told, and passed over', async () => {
    const {kafka, store, reporter, run, committed} = await setUp()
    const raw = (value: Buffer | null): OutgoingRecord => ({key: null, value: value && [value], headers: []})
    await send(kafka, [raw(Buffer.from('garbage')), raw(null), ...recordsOf(file('good', text(30)))])
    const escaping = {...recordsOf(file('x', text(5)))[0]!}
    const bytes = Buffer.concat(escaping.value!)
    await send(kafka, [
      raw(Buffer.concat([Buffer.from([0x9a, 0xa4]), Buffer.from('../x'), bytes.subarray(3)])),
    ])
    const {report, exitCode} = await run()
    expect(report).toMatchObject({poison: 3, files: {delivered: 1}})
    expect(exitCode).toBe(0)
    expect([...store.files.keys()]).toEqual(['good'])
    const told = reporter.events.filter(({event}) => event === 'record.poison')
    expect(told).toMatchObject([
      {offset: 0, code: 'NOT_MSGPACK'},
      {offset: 1, code: 'NO_VALUE'},
      {offset: 5, code: 'BAD_PATH'},
    ])
    expect(await committed()).toEqual([6])
  })

  it('a file whose destination refuses it is held, stays open, and is tried at the next start', async () => {
    const {kafka, store, reporter, run, committed} = await setUp()
    await send(kafka, recordsOf(file('held', text(30))))
    await send(kafka, recordsOf(file('fine', text(30))))
    const refusing = new StoreDestination(store)
    refusing.failOpen = ({path}) =>
      path === 'held' ? new StreamtoolError('FILE_NAME_CONFLICT', 'a directory is in the way') : null
    const first = await run({destination: refusing})
    expect(first.exitCode).toBe(4)
    expect(first.report).toMatchObject({
      files: {delivered: 1, held: 1, failed: 1},
      problems: [{path: 'held', outcome: 'held', code: 'FILE_NAME_CONFLICT'}],
    })
    expect(reporter.paths('file.held')).toEqual(['held'])
    expect(await committed()).toEqual([0])

    const second = await run()
    expect(second).toMatchObject({exitCode: 0, report: {files: {delivered: 1, held: 0}}})
    expect(store.deliveries).toEqual(['fine', 'held'])
  })

  it('a file that does not match its hash is read once more, then failed with exit code 5 and left open', async () => {
    const {kafka, store, run, committed} = await setUp()
    const good = recordsOf(file('p', text(30, 'x'), {uploadId: null}))
    // The same file hash over other, in themselves intact, chunks.
    const other = recordsOf(file('p', text(30, 'z'), {uploadId: null}))
    const hash = (record: OutgoingRecord) => Buffer.concat(record.value!).subarray(3, 69)
    const forged = other.map((record, i) => {
      const bytes = Buffer.concat(record.value!)
      hash(good[i]!).copy(bytes, 3)
      return {...record, value: [bytes]}
    })
    await send(kafka, forged)
    await send(kafka, recordsOf(file('fine', text(30))))
    const {report, exitCode} = await run()
    expect(exitCode).toBe(5)
    expect(report.files).toMatchObject({delivered: 1, failed: 1, held: 0})
    expect(report.problems).toMatchObject([{path: 'p', code: 'FILE_HASH_MISMATCH'}])
    expect(report.records).toBeGreaterThanOrEqual(9)
    expect([...store.files.keys()]).toEqual(['fine'])
    expect(await committed()).toEqual([0])
  })

  it('an incomplete file is told with its missing chunks; a young one is only open', async () => {
    const {kafka, run} = await setUp()
    const records = recordsOf(file('p', text(100)))
    await send(kafka, [records[0]!, records[3]!, records[4]!])
    const {report, exitCode} = await run()
    expect(exitCode).toBe(4)
    expect(report.problems).toMatchObject([{path: 'p', outcome: 'incomplete', missingChunks: '2-3,6-10'}])
    clockMs = Date.now()
    await send(kafka, [records[5]!])
    const young = await run({options: {incompleteAfterMs: 600_000}})
    expect(young).toMatchObject({exitCode: 0, report: {files: {open: 1, incomplete: 0}}})
  })
})

describe('the end of a --once run', () => {
  it('comes at once on an empty topic, and with records nobody may see at the tail', async () => {
    const {kafka, run} = await setUp(2)
    expect(await run()).toMatchObject({exitCode: 0, report: {records: 0}})
    await send(kafka, recordsOf(file('a', text(30))))
    kafka.appendHole({topic: 't', partition: 0}, 5)
    expect(await run()).toMatchObject({report: {files: {delivered: 1}}})
  })

  it('waits for the last file to be finished, however slow its destination', async () => {
    const {kafka, store, run} = await setUp()
    for (let i = 0; i < 5; i++) await send(kafka, recordsOf(file(`f${i}`, text(25))))
    const slow = new StoreDestination(store, () => new Promise((resolve) => setTimeout(resolve, 5)))
    const {report} = await run({destination: slow})
    expect(report.files.delivered).toBe(5)
  })

  it('of a member without partitions comes when the others have committed that far', async () => {
    const {kafka, store, run} = await setUp()
    await send(kafka, recordsOf(file('a', text(30))))
    const stop = new AbortController()
    const first = run({options: {once: false, commitIntervalMs: 5}, signal: stop.signal})
    while (store.deliveries.length === 0) await new Promise((resolve) => setImmediate(resolve))
    // Which of the two owns the only partition is the assignor's choice; both must end.
    const second = await run()
    expect(second.exitCode).toBe(0)
    stop.abort()
    expect((await first).exitCode).toBe(0)
    expect(store.deliveries).toEqual(['a'])
  })

  it('of a member without partitions does not wait for a file that stays open below what was read', async () => {
    const {kafka, store, run} = await setUp()
    await send(kafka, recordsOf(file('open', text(30))).slice(0, 1))
    await send(kafka, recordsOf(file('a', text(30), {uploadId: upload(1)})))
    const stop = new AbortController()
    const service = {once: false, commitIntervalMs: 5}
    const first = run({instanceId: 'a', options: service, signal: stop.signal})
    while (store.deliveries.length === 0) await new Promise((resolve) => setImmediate(resolve))
    // Whoever of the two owns the partition, and whoever stands by: both must end.
    expect((await run({instanceId: 'b'})).report.interrupted).toBe(false)
    stop.abort()
    await first
    expect(store.deliveries).toEqual(['a'])
  })

  it('interrupted says so, with its report', async () => {
    const {kafka, run} = await setUp()
    await send(kafka, recordsOf(file('a', text(30))))
    const stop = new AbortController()
    stop.abort()
    expect(await run({signal: stop.signal})).toMatchObject({exitCode: 130, report: {interrupted: true}})
  })
})

describe('a topic that was truncated, or made anew', () => {
  it('before a --once run is read from its start, committed there, and delivered', async () => {
    const {kafka, store, reporter, run, committed} = await setUp()
    for (let i = 0; i < 4; i++) await send(kafka, recordsOf(file(`old${i}`, text(5), {uploadId: upload(i)})))
    await run()
    kafka.truncateLog({topic: 't', partition: 0}, 1)
    await send(kafka, recordsOf(file('new', text(5), {uploadId: upload(9)})))
    expect(await run()).toMatchObject({exitCode: 0})
    expect(reporter.events).toContainEqual(expect.objectContaining({event: 'warning', code: 'LOG_TRUNCATED'}))
    expect(store.content('new')).toBe('aaaaa')
    expect(await committed()).toEqual([2])
  })

  it('under a running member goes on being committed: what comes after its end is read next time', async () => {
    const {kafka, store, run, committed} = await setUp()
    for (let i = 0; i < 4; i++) await send(kafka, recordsOf(file(`old${i}`, text(5), {uploadId: upload(i)})))
    const stop = new AbortController()
    const running = run({options: {once: false, commitIntervalMs: 5}, signal: stop.signal})
    while ((await committed())[0] !== 4) await new Promise((resolve) => setTimeout(resolve, 1))
    kafka.truncateLog({topic: 't', partition: 0}, 1)
    while ((await committed())[0] !== 1) await new Promise((resolve) => setTimeout(resolve, 1))
    stop.abort()
    await running
    await send(kafka, recordsOf(file('x', text(5), {uploadId: upload(9)})))
    await run()
    expect(store.content('x')).toBe('aaaaa')
  })

  it('reads again, in other partitions, what files that were partly in it had there', async () => {
    const {kafka, store, run} = await setUp(2)
    const records = recordsOf(file('spread', text(40), {uploadId: null}))
    for (const [i, record] of records.slice(0, 3).entries()) await send(kafka, [record], i % 2)
    const stop = new AbortController()
    let opened = 0
    const destination = new StoreDestination(store)
    destination.onStep = () => (opened += 1)
    const running = run({options: {once: false}, signal: stop.signal, destination})
    while (opened < 3) await new Promise((resolve) => setTimeout(resolve, 1))
    kafka.truncateLog({topic: 't', partition: 0}, 0)
    await new Promise((resolve) => setTimeout(resolve, 5))
    for (const i of [0, 2, 3]) await send(kafka, [records[i]!], 0)
    while (store.deliveries.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    stop.abort()
    await running
    expect(store.content('spread')).toBe('a'.repeat(40))
  })

  it('a newer file with a lower offset than the one delivered before it is no older generation', async () => {
    const {kafka, store, run} = await setUp()
    for (let i = 0; i < 5; i++) await send(kafka, recordsOf(file(`fill${i}`, text(5), {uploadId: upload(i)})))
    await send(kafka, recordsOf(file('v', text(5, '1'), {uploadId: upload(10)})))
    const forgetful = new StoreDestination(store)
    const stop = new AbortController()
    const running = run({options: {once: false}, signal: stop.signal, destination: forgetful})
    while (store.content('v') !== '11111') await new Promise((resolve) => setTimeout(resolve, 1))
    // As an index that was guarded by time would have it: another log, so no comparison by offset.
    store.files.delete('v')
    kafka.truncateLog({topic: 't', partition: 0}, 0)
    await new Promise((resolve) => setTimeout(resolve, 5))
    await send(kafka, recordsOf(file('v', text(5, '2'), {uploadId: upload(11)})))
    while (store.content('v') !== '22222') await new Promise((resolve) => setTimeout(resolve, 1))
    stop.abort()
    await running
  })
})

describe('a topic trimmed below the committed offset', () => {
  it('is said loudly, and the rest is delivered', async () => {
    const {kafka, reporter, run, committed} = await setUp()
    await send(kafka, recordsOf(file('lost', text(30))).slice(0, 2))
    await run()
    const last = await send(kafka, recordsOf(file('whole', text(30))))
    kafka.trimLog({topic: 't', partition: 0}, 2)
    const {report} = await run()
    expect(report.files.delivered).toBe(1)
    expect(reporter.events).toContainEqual(expect.objectContaining({event: 'warning', code: 'LOG_TRIMMED'}))
    expect(await committed()).toEqual([last + 1])
  })
})
