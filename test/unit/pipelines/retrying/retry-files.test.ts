import {describe, expect, it} from 'vitest'
import {createMemoryDestination} from '../../../../src/adapters/memory/memory-destination.js'
import {newUploadId} from '../../../../src/core/chunk/index.js'
import {fileLetters} from '../../../../src/core/dead-letters/index.js'
import {IntervalSet} from '../../../../src/core/offsets/index.js'
import {sha512} from '../../../support/chunks.js'
import {SharedStore} from '../../../support/delivery.js'
import {contentIn, retry} from '../../../support/dead-letters.js'
import {FaultyDestination} from '../../../support/faulty-destination.js'
import {LONG_AGO_MS, mismatching, recordsFor, text, TopicForTest} from '../../../support/topic.js'

async function setUp() {
  const topic = await TopicForTest.with()
  await topic.kafka.admin().createTopic('dead', {partitions: 1})
  const park = () => topic.run({options: {deadLetterTopic: 'dead', parkAfterMs: 0}})
  return {topic, park}
}
const withId = () => ({uploadId: newUploadId(LONG_AGO_MS)})

describe('retrying a parked file', () => {
  it('that does not match its hash says so again, with exit code 5, and keeps its letter', async () => {
    const {topic, park} = await setUp()
    await topic.send(mismatching(recordsFor('bad', text(25))))
    expect((await park()).report.files.parked).toBe(1)
    for (let i = 0; i < 2; i++) {
      const {report, exitCode} = await retry(topic)
      expect(exitCode).toBe(5)
      expect(report.problems).toMatchObject([{path: 'bad', outcome: 'failed', code: 'FILE_HASH_MISMATCH'}])
    }
  })

  it('whose destination fails in a way that passes tries again by itself', async () => {
    const {topic, park} = await setUp()
    const records = recordsFor('late', text(25), withId())
    await topic.send(records.slice(1))
    await park()
    await topic.send(records.slice(0, 1))
    const store = new SharedStore()
    const faults = new Map([['late', {at: 'finish' as const, code: 'STORAGE_FULL' as const, times: 2}]])
    const {report, exitCode} = await retry(topic, new FaultyDestination(store, faults))
    expect({exitCode, ...report.files}).toMatchObject({exitCode: 0, delivered: 1, held: 0})
    expect(store.content('late')).toBe('a'.repeat(25))
  })

  it('does not replace a newer generation that came meanwhile, and its letter is done', async () => {
    const {topic, park} = await setUp()
    const records = recordsFor('p', text(25, 'o'), withId())
    await topic.send(records.slice(1))
    await park()
    const destination = createMemoryDestination()
    await topic.send(recordsFor('p', text(15, 'n'), withId()))
    await topic.run({destination})
    await topic.send(records.slice(0, 1))
    const {report, exitCode} = await retry(topic, destination)
    expect({exitCode, ...report.files}).toMatchObject({exitCode: 0, delivered: 0, superseded: 1})
    expect(contentIn(destination, 'p')).toBe('n'.repeat(15))
    expect((await retry(topic, destination)).report.records).toBe(0)
  })

  it('that several letters name puts its records together', async () => {
    const {topic} = await setUp()
    const records = recordsFor('p', text(35), {uploadId: null})
    await topic.send(records)
    const letter = (offsets: number[]) => {
      const set = new IntervalSet()
      for (const offset of offsets) set.add(offset)
      return fileLetters({
        kind: 'file',
        cause: {code: 'FILE_PARKED', reason: 'r', group: 'g'},
        topic: 't',
        path: 'p',
        sha512: sha512(text(35)).toString('hex'),
        uploadId: null,
        chunkCount: 4,
        missingChunks: '',
        records: new Map([[0, set]]),
      })
    }
    const found = [...letter([0, 2]), ...letter([1]), ...letter([2, 3])]
    await topic.kafka.producer().send({topic: 'dead', partition: 0, records: found})
    const destination = createMemoryDestination()
    const {report} = await retry(topic, destination)
    expect(report).toMatchObject({records: 3, files: {delivered: 1}})
    expect(contentIn(destination, 'p')).toBe('a'.repeat(35))
    expect((await retry(topic, destination)).report.records).toBe(0)
  })

  it('of which nothing came leaves the letters of others alone', async () => {
    const {topic, park} = await setUp()
    const [late, never] = [recordsFor('late', text(25), withId()), recordsFor('never', text(25), withId())]
    await topic.send([never[1]!, late[0]!])
    await park()
    await topic.send(late.slice(1))
    const destination = createMemoryDestination()
    const first = await retry(topic, destination)
    expect(first.report.files).toMatchObject({delivered: 1, incomplete: 1})
    const second = await retry(topic, destination)
    expect(second.report).toMatchObject({records: 1, files: {delivered: 0, incomplete: 1}})
    expect(second.report.problems).toMatchObject([{path: 'never', missingChunks: '1,3'}])
  })
})
