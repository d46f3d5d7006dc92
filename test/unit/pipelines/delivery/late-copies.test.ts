import {describe, expect, it} from 'vitest'
import {createMemoryKafka} from '../../../../src/adapters/memory/kafka/index.js'
import {createMemoryDestination} from '../../../../src/adapters/memory/memory-destination.js'
import {newUploadId} from '../../../../src/core/chunk/index.js'
import {IntervalSet} from '../../../../src/core/offsets/index.js'
import type {Destination, TopicReader} from '../../../../src/core/ports/index.js'
import {LateCopies} from '../../../../src/pipelines/delivery/late-copies.js'
import {assemblyOf, siteOf} from '../../../support/assemblies.js'
import {LONG_AGO_MS, recordsFor, text, TopicForTest} from '../../../support/topic.js'

const HOUR_MS = 3_600_000

interface Scene {
  readonly startedMs?: number
  /** Offsets from 10 on that are done. */
  readonly doneTo?: number
  readonly recall?: Awaited<ReturnType<Destination['recall']>>
}

/** The chunks of an upload are at offsets 10 to 12 of a longer log. */
async function setUp({startedMs = LONG_AGO_MS, doneTo = 13, recall = 'nothing'}: Scene = {}) {
  const topic = await TopicForTest.with(1, createMemoryKafka({fetchRecords: 4}))
  const records = recordsFor('p', text(30), {uploadId: newUploadId(startedMs)})
  for (let n = 0; n < 10; n++)
    await topic.send(recordsFor(`before ${n}`, text(5)), {timestampMs: LONG_AGO_MS - HOUR_MS})
  await topic.send(records)
  for (let n = 0; n < 5; n++) await topic.send(recordsFor(`after ${n}`, text(5)))
  const ranges: string[] = []
  const inner = topic.kafka.reader()
  const reader: TopicReader = {
    ...inner,
    read: (range, onRecords, signal) => {
      ranges.push(`${range.start}-${range.end}`)
      return inner.read(range, onRecords, signal)
    },
  }
  const done = IntervalSet.of([{start: 10, end: doneTo}])
  const copies = new LateCopies({
    topic: 't',
    destination: {...createMemoryDestination(), recall: () => Promise.resolve(recall)},
    reader,
    admin: topic.kafka.admin(),
    isDone: (partition, offset) => partition === 0 && done.has(offset),
  })
  const open = assemblyOf(records.slice(1, 2), siteOf(), 18)
  const find = async (...others: (typeof open)[]) => {
    const over = await copies.find([open, ...others], new AbortController().signal)
    return [open, ...others].map((each) => over.get(each) ?? null)
  }
  return {copies, open, find, ranges}
}

describe('a late copy', () => {
  it('is known when all chunks of its upload lie done before it; no more is read than from when it began', async () => {
    const {find, ranges} = await setUp()
    expect(await find()).toEqual(['stray'])
    expect(ranges).toEqual(['10-18'])
  })

  it('is known by what the destination has, without reading', async () => {
    const same = await setUp({recall: 'same'})
    expect(await same.find()).toEqual(['stray'])
    const newer = await setUp({recall: 'newer'})
    expect(await newer.find()).toEqual(['superseded'])
    expect([...same.ranges, ...newer.ranges]).toEqual([])
  })

  it('is none when a chunk is not done: it may be delivered yet', async () => {
    const {find} = await setUp({doneTo: 12})
    expect(await find()).toEqual([null])
  })

  it('is not looked for before its upload began', async () => {
    const {find, ranges} = await setUp({startedMs: LONG_AGO_MS + HOUR_MS})
    expect(await find()).toEqual([null])
    expect(ranges).toEqual([])
  })

  it('of which the id tells no time, or that may be in other partitions, is not looked for', async () => {
    const {copies, ranges} = await setUp()
    const versionFour = assemblyOf(recordsFor('p', text(30)).slice(1, 2), siteOf(), 18)
    const withoutHeaders = assemblyOf(recordsFor('p', text(30), {uploadId: null}).slice(1, 2), siteOf(), 18)
    expect((await copies.find([versionFour, withoutHeaders], new AbortController().signal)).size).toBe(0)
    expect(ranges).toEqual([])
  })

  it('beside those of other uploads costs one look', async () => {
    const {find, ranges} = await setUp()
    const other = recordsFor('q', text(30), {uploadId: newUploadId(LONG_AGO_MS)})
    expect(await find(assemblyOf(other.slice(0, 1), siteOf(), 19))).toEqual(['stray', null])
    expect(ranges).toHaveLength(1)
  })

  it('is not judged when the look is interrupted: the reason is thrown', async () => {
    const {copies, open} = await setUp()
    await expect(copies.find([open], AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
  })
})
