import {describe, expect, it} from 'vitest'
import type {ConsumedRecord, PartitionRange} from '../../../src/core/ports/index.js'
import {deferred, eventually} from '../../support/eventually.js'
import {newTopic, numbered, sendTexts, textsOf, uniqueName} from './backend.js'
import type {ContractContext} from './suite.js'

interface Call {
  readonly records: readonly ConsumedRecord[]
  readonly nextOffset: number
}

export function topicReaderContract({backend, kind}: ContractContext): void {
  const has = (lever: (typeof kind.levers)[number]) => kind.levers.includes(lever)

  /** Copies what is handed over, as whoever keeps it must. */
  async function read(range: PartitionRange): Promise<{calls: Call[]; records: ConsumedRecord[]}> {
    const calls: Call[] = []
    await backend().reader.read(range, async (records, nextOffset) => {
      const kept = records.map((record) => ({...record, value: record.value && Buffer.from(record.value)}))
      calls.push({records: kept, nextOffset})
    })
    return {calls, records: calls.flatMap(({records}) => records)}
  }

  const offsetsOf = (records: readonly ConsumedRecord[]) => records.map(({offset}) => offset)
  const offsets = (from: number, to: number) => Array.from({length: to - from}, (_, index) => from + index)

  describe('TopicReader', () => {
    it('reads a partition in offset order, as it was sent, up to the end and no further', async () => {
      const topic = await newTopic(backend(), 2)
      const partition = {topic, partition: 1}
      await backend().producer.send({
        ...partition,
        records: [
          {
            key: Buffer.from('key'),
            value: [Buffer.from('in '), Buffer.from('parts')],
            headers: [{key: 'h', value: Buffer.from('1')}],
            timestampMs: 1_700_000_000_000,
          },
          {key: null, value: null, headers: []},
        ],
      })
      await sendTexts(backend(), partition, numbered('record', 20))
      const {records, calls} = await read({...partition, start: 0, end: 22})
      expect(offsetsOf(records)).toEqual(offsets(0, 22))
      expect(records[0]).toEqual({
        ...partition,
        offset: 0,
        timestampMs: 1_700_000_000_000,
        key: Buffer.from('key'),
        value: Buffer.from('in parts'),
        headers: [{key: 'h', value: Buffer.from('1')}],
      })
      expect(records[1]?.value).toBeNull()
      expect(textsOf(records.slice(2))).toEqual(numbered('record', 20))
      expect(calls.at(-1)?.nextOffset).toBe(22)
    })

    it('begins and ends in the middle of batches', async () => {
      const partition = {topic: await newTopic(backend()), partition: 0}
      for (let batch = 0; batch < 5; batch++) await sendTexts(backend(), partition, numbered('record', 10))
      const {records, calls} = await read({...partition, start: 13, end: 37})
      expect(offsetsOf(records)).toEqual(offsets(13, 37))
      expect(calls.at(-1)?.nextOffset).toBe(37)
      expect(offsetsOf((await read({...partition, start: 44, end: 45})).records)).toEqual([44])
    })

    it('ends where the log ends, and finds nothing in a range that is empty or not there', async () => {
      const partition = {topic: await newTopic(backend()), partition: 0}
      await sendTexts(backend(), partition, numbered('record', 5))
      expect(offsetsOf((await read({...partition, start: 3, end: 1000})).records)).toEqual([3, 4])
      for (const [start, end] of [
        [2, 2],
        [5, 9],
        [900, 1000],
      ] as const)
        expect((await read({...partition, start, end})).records).toEqual([])
    })

    if (has('trimLog'))
      it('reads what is left of a range whose beginning was trimmed', async () => {
        const partition = {topic: await newTopic(backend()), partition: 0}
        await sendTexts(backend(), partition, numbered('record', 10))
        await backend().levers.trimLog!(partition, 6)
        expect(offsetsOf((await read({...partition, start: 0, end: 8})).records)).toEqual([6, 7])
        expect((await read({...partition, start: 0, end: 6})).records).toEqual([])
        expect((await read({...partition, start: 2, end: 4})).records).toEqual([])
      })

    if (has('appendAborted'))
      it('passes records that nobody may see, at the end too', async () => {
        const partition = {topic: await newTopic(backend()), partition: 0}
        await sendTexts(backend(), partition, ['before'])
        await backend().levers.appendAborted!(partition, 3)
        await sendTexts(backend(), partition, ['between'])
        await backend().levers.appendAborted!(partition, 2)
        const [range] = await backend().admin.partitionRanges(partition.topic)
        const {records, calls} = await read(range!)
        expect(textsOf(records)).toEqual(['before', 'between'])
        expect(calls.at(-1)?.nextOffset).toBe(range!.end)
        expect((await read({...partition, start: 2, end: 4})).records).toEqual([])
      })

    it('awaits each call before the next, through megabytes', async () => {
      const partition = {topic: await newTopic(backend()), partition: 0}
      const text = 'x'.repeat(10_000)
      for (let batch = 0; batch < 20; batch++)
        await sendTexts(backend(), partition, numbered(text, 40, 40 * batch))
      const first = deferred()
      const seen: number[] = []
      let callsUnderWay = 0
      const reading = backend().reader.read({...partition, start: 0, end: 800}, async (records) => {
        callsUnderWay++
        seen.push(...offsetsOf(records))
        if (seen.length === records.length) await first.promise
        await new Promise((resolve) => setImmediate(resolve))
        expect(callsUnderWay).toBe(1)
        callsUnderWay--
      })
      await eventually('the first call', () => seen.length > 0)
      const seenAtFirst = seen.length
      expect(seenAtFirst).toBeLessThan(800)
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(seen.length).toBe(seenAtFirst)
      first.resolve()
      await reading
      expect(seen).toEqual(offsets(0, 800))
    })

    it('reads several ranges side by side', async () => {
      const topic = await newTopic(backend(), 3)
      for (const partition of [0, 1, 2])
        await sendTexts(backend(), {topic, partition}, numbered(`of ${partition}`, 30))
      const found = await Promise.all(
        [0, 1, 2, 0].map((partition, index) => read({topic, partition, start: index, end: 30})),
      )
      expect(found.map(({records}) => offsetsOf(records))).toEqual([0, 1, 2, 3].map((at) => offsets(at, 30)))
      expect(textsOf(found[2]!.records)[0]).toBe('of 2 2')
    })

    it('reads many small ranges one after another', async () => {
      const partition = {topic: await newTopic(backend()), partition: 0}
      await sendTexts(backend(), partition, numbered('record', 100))
      for (let round = 0; round < 200; round++) {
        const offset = (round * 37) % 100
        const {records} = await read({...partition, start: offset, end: offset + 1})
        expect(textsOf(records)).toEqual([`record ${offset}`])
      }
    })

    it('stops with the reason of its signal, before and while it reads', async () => {
      const partition = {topic: await newTopic(backend()), partition: 0}
      await sendTexts(backend(), partition, numbered('record', 10))
      await sendTexts(backend(), partition, numbered('record', 10))
      const reason = new Error('enough')
      const stop = new AbortController()
      const range = {...partition, start: 0, end: 20}
      const calls: number[] = []
      const reading = backend().reader.read(
        range,
        async (_, nextOffset) => {
          calls.push(nextOffset)
          stop.abort(reason)
        },
        stop.signal,
      )
      await expect(reading).rejects.toBe(reason)
      expect(calls).toHaveLength(1)
      const never = backend().reader.read(range, async () => expect.unreachable(), stop.signal)
      await expect(never).rejects.toBe(reason)
    })

    it('throws what its caller throws, and can be used again', async () => {
      const partition = {topic: await newTopic(backend()), partition: 0}
      await sendTexts(backend(), partition, numbered('record', 10))
      const range = {...partition, start: 0, end: 10}
      const failure = new Error('of the caller')
      const reading = backend().reader.read(range, () => Promise.reject(failure))
      await expect(reading).rejects.toBe(failure)
      expect((await read(range)).records).toHaveLength(10)
    })

    it('refuses a topic and a partition that are not there', async () => {
      const unknown = read({topic: uniqueName('unknown'), partition: 0, start: 0, end: 1})
      await expect(unknown).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
      const topic = await newTopic(backend(), 2)
      const beyond = read({topic, partition: 2, start: 0, end: 1})
      await expect(beyond).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
    })

    if (has('restart'))
      it('waits a restart of the broker out: nothing is missing, nothing comes twice', async () => {
        const partition = {topic: await newTopic(backend()), partition: 0}
        const text = 'x'.repeat(10_000)
        for (let batch = 0; batch < 15; batch++)
          await sendTexts(backend(), partition, numbered(text, 40, 40 * batch))
        const seen: number[] = []
        let restarted: Promise<void> | null = null
        await backend().reader.read({...partition, start: 0, end: 600}, async (records) => {
          seen.push(...offsetsOf(records))
          await (restarted ??= backend().levers.restart!())
        })
        expect(seen).toEqual(offsets(0, 600))
        const again = await read({...partition, start: 599, end: 600})
        expect(offsetsOf(again.records)).toEqual([599])
      })
  })
}
