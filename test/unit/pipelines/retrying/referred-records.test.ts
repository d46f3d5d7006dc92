import {describe, expect, it} from 'vitest'
import {IntervalSet} from '../../../../src/core/offsets/index.js'
import {findMissingChunks} from '../../../../src/pipelines/retrying/missing-chunks.js'
import {
  generationIdentity,
  type ParkedGeneration,
} from '../../../../src/pipelines/retrying/parked-generations.js'
import {ReferredRecords} from '../../../../src/pipelines/retrying/referred-records.js'
import {read} from '../../../support/assemblies.js'
import {silentLogger} from '../../../support/delivery.js'
import {recordsFor, text, TopicForTest} from '../../../support/topic.js'

const NEVER = new AbortController().signal
const setOf = (...values: number[]) => IntervalSet.of(values.map((value) => ({start: value, end: value + 1})))

async function setUp() {
  const topic = await TopicForTest.with(2)
  const {kafka} = topic
  const ranges: [number, number][] = []
  const inner = kafka.reader()
  const records = new ReferredRecords(
    {
      ...inner,
      read: (range, onRecords, signal) => {
        ranges.push([range.start, range.end])
        return inner.read(range, onRecords, signal)
      },
    },
    kafka.admin(),
  )
  const offsetsRead = async (wanted: ReadonlyMap<number, IntervalSet>, of = 't') => {
    const found: number[] = []
    const missing = await records.read(
      {topic: of, records: wanted},
      async (_, {offset}) => found.push(offset) > 0,
      NEVER,
    )
    return {found, missing}
  }
  return {topic, kafka, records, ranges, offsetsRead}
}

describe('reading records by reference', () => {
  it('reads those that are named and no others, near ones at one go', async () => {
    const {topic, offsetsRead, ranges} = await setUp()
    for (let n = 0; n < 20; n++) await topic.send(recordsFor(`f${n}`, text(95)))
    expect(await offsetsRead(new Map([[0, setOf(3, 5, 60, 199)]]))).toEqual({
      found: [3, 5, 60, 199],
      missing: 0,
    })
    expect(ranges).toEqual([
      [3, 61],
      [199, 200],
    ])
  })

  it('counts what is gone, is no chunk, or never was', async () => {
    const {topic, kafka, offsetsRead} = await setUp()
    await topic.send(recordsFor('f', text(45)))
    await topic.send([{key: null, value: [Buffer.from('?')], headers: []}])
    kafka.trimLog({topic: 't', partition: 0}, 2)
    expect(await offsetsRead(new Map([[0, setOf(1, 2, 5, 900)]]))).toEqual({found: [2], missing: 3})
    expect(await offsetsRead(new Map([[7, setOf(1, 2)]]))).toEqual({found: [], missing: 2})
    expect(await offsetsRead(new Map([[0, setOf(0)]]), 'never was')).toEqual({found: [], missing: 1})
  })

  it('tells one record from what is no chunk, and from nothing', async () => {
    const {topic, records} = await setUp()
    await topic.send(recordsFor('f', text(5)))
    await topic.send([{key: null, value: [Buffer.from('?')], headers: []}])
    const one = (offset: number, partition = 0) => records.one({topic: 't', partition, offset}, NEVER)
    expect(await one(0)).toMatchObject({path: 'f'})
    expect(await one(1)).toMatchObject({poison: 'NOT_MSGPACK'})
    expect(await one(2)).toBeNull()
    expect(await one(0, 9)).toBeNull()
  })
})

describe('chunks that came after a file was parked', () => {
  it('are found behind the first file that was parked there, by one look for all', async () => {
    const {topic, records, ranges} = await setUp()
    const [a, b, other] = ['a', 'b', 'other'].map((path) => recordsFor(path, text(20)))
    await topic.send([a![0]!, b![0]!, other![0]!, a![1]!, other![1]!, b![1]!])
    const parked = (
      path: string,
      record: NonNullable<typeof a>[number],
      offset: number,
    ): ParkedGeneration => ({
      identity: generationIdentity('t', read(record, offset).decoded),
      topic: 't',
      path,
      records: new Map([[0, setOf(offset)]]),
      letters: [],
    })
    const generations = [parked('a', a![0]!, 0), parked('b', b![0]!, 1)]
    const grown = await findMissingChunks(generations, records, silentLogger, NEVER)
    expect(grown).toEqual(generations)
    expect(generations.map((each) => [...each.records.get(0)!.values()])).toEqual([
      [0, 3],
      [1, 5],
    ])
    expect(ranges).toEqual([[1, 6]])
  })
})
