/**
 * What a user of OpenMSIStream loses on the consuming side, case by case, and does not lose here. The letters are
 * those of docs/hazards.md.
 */
import {readFile} from 'node:fs/promises'
import path from 'node:path'
import {describe, expect, it} from 'vitest'
import {createDirectoryDestination} from '../../../src/adapters/files/directory-destination.js'
import {StreamtoolError} from '../../../src/core/errors.js'
import {StoreDestination} from '../../support/delivery.js'
import {FaultyDestination} from '../../support/faulty-destination.js'
import {noSteps, recordedLog} from '../../support/quiet.js'
import {systemClock} from '../../../src/adapters/system/clock.js'
import {temporaryDirectory} from '../../support/temporary-directory.js'
import {Gate, mismatching, recordsFor, text, TopicForTest, until, uploadId} from '../../support/topic.js'

/** As OpenMSIStream sends them: without our headers. */
const theirs = (name: string, content: Buffer, mtimeSeconds = 1_700_000_000) =>
  recordsFor(name, content, {uploadId: null, mtimeSeconds})

describe('generations of a path', () => {
  it('A: the first chunk of a newer generation is kept, though an older one is unfinished', async () => {
    for (const id of [null, 'with ids'] as const) {
      const topic = await TopicForTest.with()
      const ids = (n: number) => (id === null ? null : uploadId(n))
      await topic.send(recordsFor('growing', text(25, 'o'), {uploadId: ids(1)}).slice(0, 1))
      await topic.send(recordsFor('growing', text(30, 'n'), {uploadId: ids(2)}))
      const {report} = await topic.run()
      expect(topic.store.content('growing')).toBe('n'.repeat(30))
      expect(report.files).toMatchObject({delivered: 1, superseded: 1, incomplete: 0})
    }
  })

  it('A: nor is any chunk of two generations that arrive interleaved over partitions', async () => {
    const topic = await TopicForTest.with(2)
    const [older, newer] = [theirs('p', text(40, 'o')), theirs('p', text(50, 'n'), 1_700_000_100)]
    for (let i = 0; i < 5; i++) {
      await topic.send(older.slice(i, i + 1), {partition: i % 2})
      await topic.send(newer.slice(i, i + 1), {partition: (i + 1) % 2})
    }
    const {report} = await topic.run()
    expect(report.files).toMatchObject({incomplete: 0, open: 0})
    expect(report.files.delivered + report.files.superseded).toBe(2)
    expect(topic.store.content('p')).toBe('n'.repeat(50))
  })

  it('B: a smaller generation is not taken for a stale one while a larger one is unfinished', async () => {
    const topic = await TopicForTest.with()
    await topic.send(theirs('shrunk', text(60, 'o')).slice(0, 5))
    const last = await topic.send(theirs('shrunk', text(20, 's'), 1_700_000_100))
    const {report, exitCode} = await topic.run()
    expect(topic.store.content('shrunk')).toBe('s'.repeat(20))
    expect({exitCode, ...report.files}).toMatchObject({exitCode: 0, delivered: 1, superseded: 1})
    expect(await topic.committed()).toEqual([last + 1])
  })

  it('C: a shrunk file has no tail of the old one', async () => {
    const topic = await TopicForTest.with()
    const root = await temporaryDirectory()
    const options = {root, concurrency: 2, clock: systemClock, logger: recordedLog(), steps: noSteps}
    const destination = await createDirectoryDestination(options)
    await topic.send(theirs('file', text(40, 'A')))
    await topic.run({destination})
    await topic.send(theirs('file', text(20, 'B'), 1_700_000_100))
    await topic.run({destination})
    await destination.close()
    expect(await readFile(path.join(root, 'file'), 'utf8')).toBe('B'.repeat(20))
  })

  it('G: an upload that was cut off and repeated with another chunk size mixes with nothing, and arrives', async () => {
    const topic = await TopicForTest.with()
    await topic.send(recordsFor('p', text(60), {uploadId: null, chunkBytes: 10}).slice(0, 3))
    await topic.send(recordsFor('p', text(60), {uploadId: null, chunkBytes: 15}))
    const {report} = await topic.run()
    expect(report).toMatchObject({poison: 0, files: {delivered: 1, incomplete: 0}})
    expect(topic.store.content('p')).toBe('a'.repeat(60))
  })

  it('G: chunks of the old content sent after the file changed do not complete the new one', async () => {
    const topic = await TopicForTest.with()
    const [before, after] = [theirs('p', text(30, 'o')), theirs('p', text(30, 'n'), 1_700_000_100)]
    await topic.send([before[0]!, after[1]!, after[2]!])
    const {report, exitCode} = await topic.run()
    expect(topic.store.content('p')).toBeUndefined()
    expect(exitCode).toBe(4)
    expect(report.files.incomplete).toBeGreaterThan(0)
  })
})

describe('a file that could not be handled', () => {
  const refusing = (topic: TopicForTest, refused: string) => {
    const destination = new StoreDestination(topic.store)
    destination.failOpen = (file) =>
      file.path === refused ? new StreamtoolError('STORAGE_FORBIDDEN', 'it is not allowed') : null
    return destination
  }

  it.each(['root.dat', 'sub/sub.dat'])(
    'H: is tried again at the next start, wherever it is: %s',
    async (name) => {
      const topic = await TopicForTest.with()
      await topic.send(recordsFor(name, text(30)))
      expect((await topic.run({destination: refusing(topic, name)})).report.files.held).toBe(1)
      expect((await topic.run()).report.files).toMatchObject({delivered: 1, held: 0})
      expect(topic.store.deliveries).toEqual([name])
    },
  )

  it('I: one that does not match its hash crashes nothing, is not delivered, and is told each time', async () => {
    const topic = await TopicForTest.with()
    await topic.send(mismatching(recordsFor('bad', text(30))))
    await topic.send(recordsFor('good', text(30)))
    for (const delivered of [1, 0]) {
      const {report, exitCode} = await topic.run()
      expect({exitCode, ...report.files}).toMatchObject({exitCode: 5, delivered, failed: 1, open: 0})
      expect(report.problems).toMatchObject([{path: 'bad', outcome: 'failed', code: 'FILE_HASH_MISMATCH'}])
    }
    expect(topic.store.deliveries).toEqual(['good'])
  })

  it.each(['open', 'write', 'finish'] as const)(
    'J: what a destination throws at %s strands no file: it is held, and whole the next time',
    async (at) => {
      const topic = await TopicForTest.with()
      await topic.send(recordsFor('thrown at', text(30)))
      await topic.send(recordsFor('beside', text(30)))
      const faults = new Map([['thrown at', {at, code: 'BUG' as const, times: Infinity}]])
      const first = await topic.run({destination: new FaultyDestination(topic.store, faults)})
      expect(first.report.files).toMatchObject({delivered: 1, held: 1})
      expect((await topic.run()).report.files).toMatchObject({delivered: 1, held: 0})
      expect(topic.store.content('thrown at')).toBe('a'.repeat(30))
    },
  )

  it('N: is not committed past by a later success in its partition, nor at shutdown', async () => {
    const topic = await TopicForTest.with()
    await topic.send(recordsFor('held', text(30)))
    for (let n = 0; n < 5; n++) await topic.send(recordsFor(`later ${n}`, text(30)))
    const member = topic.start({destination: refusing(topic, 'held')})
    await until(() => expect(topic.store.deliveries).toHaveLength(5))
    await member.stop()
    expect(await topic.committed()).toEqual([0])
    await topic.run()
    expect(topic.store.content('held')).toBe('a'.repeat(30))
    expect(topic.store.deliveries).toHaveLength(6)
  })
})

describe('a process that ends', () => {
  it('K: in the middle of a file: the next one completes it, from its first chunk', async () => {
    const topic = await TopicForTest.with()
    const records = theirs('half', text(60))
    await topic.send(records.slice(0, 4))
    const member = topic.start()
    await until(() => expect(topic.events('assignment')).toHaveLength(1))
    await member.stop()
    await topic.send(records.slice(4))
    const {report} = await topic.run()
    expect(report.files).toMatchObject({delivered: 1, incomplete: 0})
    expect(topic.store.content('half')).toBe('a'.repeat(60))
  })

  it('M: between the last chunk of a small file and its outcome: the file is not committed yet', async () => {
    const topic = await TopicForTest.with()
    await topic.send(theirs('small', text(5)))
    const gate = new Gate()
    const dying = new StoreDestination(topic.store, gate.pass)
    const member = topic.start({destination: dying})
    await gate.reached
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([[], [0]]).toContainEqual(await topic.committed())
    dying.killed = true
    gate.open()
    const [{memberId} = {memberId: ''}] = await topic.kafka.admin().groupMembers('g')
    topic.kafka.expireMember('g', memberId, {noticedAfter: new Promise(() => undefined)})
    await topic.run()
    expect(topic.store.deliveries).toEqual(['small'])
    void member.stop()
  })

  it('P: needs nothing of its own to go on: what it had done is in the commit, and is not done again', async () => {
    const topic = await TopicForTest.with()
    await topic.send(theirs('open', text(30)).slice(0, 2))
    for (let n = 0; n < 50; n++) await topic.send(theirs(`f${n}`, text(15)))
    await topic.run({instanceId: 'one host'})
    const {report} = await topic.run({instanceId: 'another host'})
    expect(report).toMatchObject({files: {delivered: 0, incomplete: 1}})
    expect(topic.store.deliveries).toHaveLength(50)
  })
})

describe('a stray copy of a chunk', () => {
  it('L: of a delivered file opens nothing, neither in the same process nor after a restart', async () => {
    const topic = await TopicForTest.with()
    const records = recordsFor('done', text(30), {uploadId: '018bcfe5-6800-7000-8000-000000000000'})
    await topic.send([...records, records[1]!])
    await topic.run()
    const last = await topic.send([records[0]!, records[2]!])
    const {report, exitCode} = await topic.run()
    expect({exitCode, ...report.files}).toMatchObject({exitCode: 0, delivered: 0, open: 0, incomplete: 0})
    expect(await topic.committed()).toEqual([last + 1])
    expect(topic.store.deliveries).toEqual(['done'])
  })
})

describe('a group of several processes', () => {
  it('Q: finishes every file, each in one process, also when one leaves in the middle', async () => {
    const topic = await TopicForTest.with(4)
    const files = Array.from({length: 40}, (_, n) => recordsFor(`f${n}`, text(35, String(n % 10))))
    for (const [n, records] of files.entries()) await topic.send(records.slice(0, 2), {partition: n % 4})
    const members = [1, 2, 3].map((n) =>
      topic.start({instanceId: `host ${n}`, destination: new StoreDestination(topic.store)}),
    )
    await until(() => expect(topic.events('assignment').length).toBeGreaterThanOrEqual(3))
    for (const [n, records] of files.slice(0, 20).entries())
      await topic.send(records.slice(2), {partition: n % 4})
    await members[0]!.stop()
    for (const [n, records] of files.entries())
      if (n >= 20) await topic.send(records.slice(2), {partition: n % 4})
    await until(() => expect(new Set(topic.store.deliveries).size).toBe(40))
    for (const member of members.slice(1)) await member.stop()
    for (let n = 0; n < 40; n++) expect(topic.store.content(`f${n}`)).toBe(String(n % 10).repeat(35))
  })
})

describe('a record that is no chunk', () => {
  const raw = (value: Buffer | null) => ({key: null, value: value && [value], headers: []})

  it.each([
    ['garbage', Buffer.from('garbage')],
    ['a null value', null],
    ['a truncated chunk', Buffer.concat(theirs('x', text(5))[0]!.value!).subarray(0, -1)],
  ])('blocks its partition for nobody: %s', async (_, value) => {
    const topic = await TopicForTest.with()
    await topic.send([raw(value)])
    for (let n = 0; n < 5; n++) await topic.send(recordsFor(`good ${n}`, text(15)))
    const {report, exitCode} = await topic.run()
    expect({exitCode, poison: report.poison}).toEqual({exitCode: 0, poison: 1})
    expect(topic.store.deliveries).toHaveLength(5)
    expect((await topic.run()).report.records).toBe(0)
  })

  it.each(['../outside.dat', '/etc/passwd', 'a/../../x', '.streamtool/index'])(
    'because of a path that leaves the output directory is written nowhere: %s',
    async (name) => {
      const topic = await TopicForTest.with()
      const value = Buffer.concat(theirs('a'.repeat(name.length), text(5))[0]!.value!)
      const at = value.indexOf('a'.repeat(name.length))
      value.write(name, at)
      await topic.send([raw(value)])
      const {report} = await topic.run()
      expect(report).toMatchObject({poison: 1, files: {delivered: 0}})
      expect([...topic.store.files]).toEqual([])
    },
  )
})
