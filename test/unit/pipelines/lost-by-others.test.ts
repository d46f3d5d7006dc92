/**
 * What users of other chunking clients and connectors have lost or waited for, case by case, with the thread that
 * tells of it. See docs/hazards.md.
 */
import {describe, expect, it} from 'vitest'
import {newUploadId} from '../../../src/core/chunk/index.js'
import {decodeLetter} from '../../../src/core/dead-letters/index.js'
import type {ConsumedRecord} from '../../../src/core/record.js'
import {recordsOf} from '../../support/chunks.js'
import {StoreDestination} from '../../support/delivery.js'
import {FaultyDestination} from '../../support/faulty-destination.js'
import {Gate, LONG_AGO_MS, recordsFor, text, TopicForTest, until, uploadId} from '../../support/topic.js'

describe('Pulsar', () => {
  it('#26395: a tail chunk whose head was removed by retention stalls nobody', async () => {
    const topic = await TopicForTest.with()
    await topic.send(recordsFor('orphan', text(30)))
    for (let n = 0; n < 10; n++) await topic.send(recordsFor(`f${n}`, text(25)))
    topic.kafka.trimLog({topic: 't', partition: 0}, 2)
    const member = topic.start()
    await until(() => expect(topic.store.deliveries).toHaveLength(10))
    await topic.send(recordsFor('after', text(25)))
    await until(() => expect(topic.store.deliveries).toHaveLength(11))
    const {report} = await member.stop()
    expect(report.problems).toMatchObject([{path: 'orphan', outcome: 'incomplete', missingChunks: '1-2'}])
  })

  it.each([1, 3])(
    'PR 21070: chunk %i that a producer sends again is not discarded, nor is its file',
    async (k) => {
      const topic = await TopicForTest.with()
      const records = recordsFor('retried', text(50))
      await topic.send([...records.slice(0, k), records[k - 1]!, ...records.slice(k)])
      const {report} = await topic.run()
      expect(report.files).toMatchObject({delivered: 1, incomplete: 0, superseded: 0})
      expect(topic.store.content('retried')).toBe('a'.repeat(50))
    },
  )

  it('PR 21070: nor when only the second copy of the first chunk is whole', async () => {
    const topic = await TopicForTest.with()
    const [first, ...rest] = recordsFor('retried', text(30))
    const bytes = Buffer.concat(first!.value!)
    bytes.write('x', bytes.indexOf('a'.repeat(10)))
    const damaged = {...first!, value: [bytes]}
    await topic.send([damaged, first!, ...rest])
    const {report} = await topic.run()
    expect(report).toMatchObject({poison: 1, files: {delivered: 1}})
  })

  it('PR 20948: the same chunk at several offsets counts once, and all of its offsets are done', async () => {
    const topic = await TopicForTest.with()
    const records = recordsFor('twice', text(30))
    const last = await topic.send(records.flatMap((record) => [record, record, record]))
    await topic.run()
    expect(topic.store.deliveries).toEqual(['twice'])
    expect(await topic.committed()).toEqual([last + 1])
  })

  it('PR 21101: the committed offset is never above an open file, and never stays below a finished one', async () => {
    const topic = await TopicForTest.with()
    const [a, b, c] = ['a', 'b', 'c'].map((name) => recordsFor(name, text(20)))
    // a0 b0 c0 c1 b1, and a1 last.
    const member = topic.start()
    await topic.send([a![0]!, b![0]!, c![0]!, c![1]!, b![1]!])
    await until(() => expect([...topic.store.deliveries].sort()).toEqual(['b', 'c']))
    await until(async () => expect(await topic.committed()).toEqual([0]))
    await topic.send([a![1]!])
    await until(async () => expect(await topic.committed()).toEqual([6]))
    await member.stop()
  })

  it('#25220: a file that its destination refused comes again, whole', async () => {
    const topic = await TopicForTest.with()
    await topic.send(recordsFor('refused', text(50)))
    const faults = new Map([['refused', {at: 'finish' as const, code: 'FILE_HELD' as const, times: 1}]])
    await topic.run({destination: new FaultyDestination(topic.store, faults)})
    expect(topic.store.deliveries).toEqual([])
    await topic.run()
    expect(topic.store.content('refused')).toBe('a'.repeat(50))
  })

  it('PR 21048: a file larger than any message goes to the dead-letter topic, by reference', async () => {
    const topic = await TopicForTest.with()
    await topic.kafka.admin().createTopic('dead', {partitions: 1})
    const records = recordsOf({path: 'large', content: text(3 << 20), chunkBytes: 512 * 1024})
    await topic.send(records.slice(1))
    const {report} = await topic.run({
      options: {deadLetterTopic: 'dead', parkAfterMs: 0, memoryBytes: 1 << 20},
    })
    expect(report.files).toMatchObject({parked: 1, incomplete: 0})
    const letters: ConsumedRecord[] = []
    const [range] = await topic.kafka.admin().partitionRanges('dead')
    await topic.kafka.reader().read(range!, async (found) => void letters.push(...found))
    expect(letters.map((letter) => decodeLetter(letter))).toMatchObject([{path: 'large', missingChunks: '1'}])
    expect(letters[0]!.value!.length).toBeLessThan(1000)
  })

  it('maxPendingChunkedMessage: no incomplete file is dropped because many others are open', async () => {
    const topic = await TopicForTest.with()
    const files = Array.from({length: 200}, (_, n) => recordsFor(`f${n}`, text(20)))
    for (const [head] of files) await topic.send([head!])
    for (const [, tail] of files) await topic.send([tail!])
    const {report} = await topic.run({options: {memoryBytes: 1}})
    expect(report.files).toMatchObject({delivered: 200, incomplete: 0})
  })

  it('expireTimeOfIncompleteChunkedMessage: no incomplete file is dropped in silence because it is old', async () => {
    const topic = await TopicForTest.with()
    const records = recordsFor('old', text(30))
    await topic.send(records.slice(0, 2), {timestampMs: LONG_AGO_MS})
    for (let n = 0; n < 3; n++) expect((await topic.run()).report.files.incomplete).toBe(1)
    await topic.send(records.slice(2))
    expect((await topic.run()).report.files.delivered).toBe(1)
  })
})

describe('li-apache-kafka-clients', () => {
  it('PR 91: commits go on above a file that stays incomplete, so nothing finished comes again', async () => {
    const topic = await TopicForTest.with()
    await topic.send(recordsFor('stuck', text(20)).slice(0, 1))
    for (let n = 0; n < 30; n++) await topic.send(recordsFor(`f${n}`, text(25)))
    await topic.run({options: {commitFiles: 1}})
    for (let n = 30; n < 60; n++) await topic.send(recordsFor(`f${n}`, text(25)))
    await topic.run({options: {commitFiles: 1}})
    expect(topic.store.deliveries).toHaveLength(60)
  })

  it('#84: files of several producers that are interleaved in one partition all arrive', async () => {
    const topic = await TopicForTest.with()
    const producers = Array.from({length: 8}, (_, n) =>
      recordsFor(`of ${n}`, text(100, String(n)), {uploadId: n % 2 ? uploadId(n) : null}),
    )
    for (let i = 0; i < 10; i++) await topic.send(producers.map((records) => records[i]!))
    const {report} = await topic.run()
    expect(report.files).toMatchObject({delivered: 8, incomplete: 0})
    for (let n = 0; n < 8; n++) expect(topic.store.content(`of ${n}`)).toBe(String(n).repeat(100))
  })
})

describe('Streamsend', () => {
  it('auto.offset.reset=latest: a new group gets what was there before it', async () => {
    const topic = await TopicForTest.with(2)
    await topic.send(recordsFor('a', text(30)), {partition: 0})
    await topic.send(recordsFor('b', text(30)), {partition: 1})
    await topic.run()
    expect(topic.store.deliveries.sort()).toEqual(['a', 'b'])
  })

  it('max.file.size: memory does not grow with the file: a tail that comes first goes through the spill', async () => {
    const topic = await TopicForTest.with()
    const content = Buffer.concat(
      Array.from({length: 200}, (_, i) => text(10, String.fromCharCode(65 + (i % 26)))),
    )
    await topic.send(recordsFor('back to front', content).reverse())
    await topic.run({options: {memoryBytes: 30}})
    expect(topic.store.content('back to front')).toBe(content.toString('latin1'))
  })
})

describe('Vector', () => {
  it('#12084: a rebalance delivers nothing again that was finished before it', async () => {
    const topic = await TopicForTest.with(3)
    for (let n = 0; n < 60; n++)
      await topic.send(recordsFor(`f${n}`, text(25)).slice(0, n % 3 === 0 ? 2 : 3), {partition: n % 3})
    const member = topic.start()
    await until(() => expect(topic.store.deliveries).toHaveLength(40))
    for (let i = 0; i < 3; i++) {
      topic.kafka.forceRebalance('g')
      await until(() => expect(topic.events('assignment')).toHaveLength(i + 2))
    }
    for (let n = 0; n < 60; n += 3) await topic.send(recordsFor(`f${n}`, text(25)).slice(2), {partition: 0})
    await until(() => expect(topic.store.deliveries).toHaveLength(60))
    await member.stop()
    expect(new Set(topic.store.deliveries).size).toBe(60)
  })

  it('#21657: what is in flight at shutdown is not lost', async () => {
    const topic = await TopicForTest.with()
    await topic.send(recordsFor('in flight', text(30)))
    const gate = new Gate()
    const member = topic.start({destination: new StoreDestination(topic.store, gate.pass)})
    await gate.reached
    const stopped = member.stop()
    gate.open()
    await stopped
    await topic.run()
    expect(topic.store.content('in flight')).toBe('a'.repeat(30))
  })
})

describe('MirrorMaker 2', () => {
  it('copies commit metadata beside translated offsets: it is foreign there, and nothing is skipped by it', async () => {
    const here = await TopicForTest.with()
    await here.send(recordsFor('open', text(30)).slice(0, 1))
    for (let n = 0; n < 5; n++) await here.send(recordsFor(`f${n}`, text(15)))
    await here.run()
    const [commit] = await here.kafka.admin().committedOffsets('g', 't')
    expect(commit!.metadata).toMatch(/^st1:/)

    const there = await TopicForTest.with()
    for (let n = 0; n < 6; n++) await there.send(recordsFor(`other ${n}`, text(15)))
    await there.kafka.admin().resetOffsets('g', [commit!])
    await there.run()
    expect(there.store.deliveries).toHaveLength(6)
  })
})

describe('whatever sends twice', () => {
  it('a whole file that a producer retried is delivered once, and the copy is no second generation', async () => {
    const topic = await TopicForTest.with()
    const records = recordsFor('whole', text(30), {uploadId: newUploadId(LONG_AGO_MS)})
    const last = await topic.send([...records, ...records])
    const {report} = await topic.run()
    expect(topic.store.deliveries).toEqual(['whole'])
    expect(report.files).toMatchObject({delivered: 1, superseded: 0, incomplete: 0})
    expect(await topic.committed()).toEqual([last + 1])
  })
})
