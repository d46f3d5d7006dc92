import {randomBytes} from 'node:crypto'
import zlib from 'node:zlib'
import {describe, expect, it} from 'vitest'
import type {ConsumedRecord, OutgoingRecord} from '../../../src/core/ports/index.js'
import {newTopic, numbered, readTopic, sendTexts, textRecord, textsOf, uniqueName} from './backend.js'
import type {ContractContext} from './suite.js'

/** One record in a batch of its own: what is left of max.message.bytes for the value, key and headers absent. */
function largestValueBytes(maxMessageBytes: number): number {
  const batchHeader = 61
  // length (3), attributes, timestamp delta, offset delta, no key, value length (3), no headers
  const recordOverhead = 3 + 1 + 1 + 1 + 1 + 3 + 1
  return maxMessageBytes - batchHeader - recordOverhead
}

export function recordProducerContract({kind, backend}: ContractContext): void {
  describe('RecordProducer', () => {
    /** Sends the records as one batch and reads them back. */
    const roundTrip = async (records: readonly OutgoingRecord[]) => {
      const topic = await newTopic(backend())
      await backend().producer.send({topic, partition: 0, records})
      const [received] = await readTopic(backend(), topic)
      return received!
    }

    it('answers the base offset of each batch', async () => {
      const topic = await newTopic(backend(), 2)
      expect(await sendTexts(backend(), {topic, partition: 0}, ['a', 'b', 'c'])).toBe(0)
      expect(await sendTexts(backend(), {topic, partition: 0}, ['d'])).toBe(3)
      expect(await sendTexts(backend(), {topic, partition: 0}, ['e'])).toBe(4)
      expect(await sendTexts(backend(), {topic, partition: 1}, ['f'])).toBe(0)
    })

    it('writes to the partition that was named', async () => {
      const topic = await newTopic(backend(), 3)
      await sendTexts(backend(), {topic, partition: 2}, ['here'])
      expect((await readTopic(backend(), topic)).map(textsOf)).toEqual([[], [], ['here']])
    })

    it('keeps headers in their order, repeated keys, empty and null values', async () => {
      const headers = [
        {key: 'z', value: Buffer.from('last letter first')},
        {key: 'a', value: Buffer.from([0, 255, 128])},
        {key: 'z', value: Buffer.from('again')},
        {key: 'empty', value: Buffer.alloc(0)},
        {key: 'null', value: null},
        {key: '', value: Buffer.from('a header without a name')},
        {key: '__proto__', value: Buffer.from('just a name')},
        {key: 'constructor', value: Buffer.from('just a name')},
        {key: 'µ-übersicht', value: Buffer.from('UTF-8')},
      ]
      const [record] = await roundTrip([{...textRecord('x'), headers}])
      expect(record!.headers.map(({key, value}) => [key, value?.toString('hex') ?? null])).toEqual(
        headers.map(({key, value}) => [key, value?.toString('hex') ?? null]),
      )
    })

    it('tells null from empty, in keys and in values', async () => {
      const received = await roundTrip([
        {key: null, value: null, headers: []},
        {key: Buffer.alloc(0), value: [], headers: []},
        {key: Buffer.from('k'), value: [Buffer.alloc(0)], headers: []},
      ])
      expect(received.map(({key, value}) => [key?.toString() ?? null, value?.toString() ?? null])).toEqual([
        [null, null],
        ['', ''],
        ['k', ''],
      ])
    })

    it('joins the buffers of a value', async () => {
      const parts = [Buffer.from('head'), Buffer.alloc(0), randomBytes(70_000), Buffer.from('tail')]
      const [record] = await roundTrip([{key: null, value: parts, headers: []}])
      expect(record!.value!.equals(Buffer.concat(parts))).toBe(true)
    })

    it('keeps timestamps, in whatever order they come', async () => {
      const times = [1_700_000_000_000, 1_600_000_000_123, 0, 1_700_000_000_001]
      const received = await roundTrip(times.map((timestampMs) => ({...textRecord('x'), timestampMs})))
      expect(received.map(({timestampMs}) => timestampMs)).toEqual(times)
    })

    it('gives a record without a timestamp the time of sending', async () => {
      const before = Date.now()
      const [record] = await roundTrip([textRecord('now')])
      expect(record!.timestampMs).toBeGreaterThanOrEqual(before)
      expect(record!.timestampMs).toBeLessThanOrEqual(Date.now())
    })

    it('keeps the order of a batch of many records', async () => {
      const texts = numbered('record', 12_000)
      const topic = await newTopic(backend())
      await sendTexts(backend(), {topic, partition: 0}, texts)
      const [received] = await readTopic(backend(), topic)
      expect(received!.map(({offset}) => offset)).toEqual(texts.map((_, index) => index))
      expect(textsOf(received!)).toEqual(texts)
    })

    it('leaves nothing out of many sends at once', async () => {
      const topic = await newTopic(backend(), 3)
      const sends = numbered('batch', 60).map(async (text, index) => {
        const partition = index % 3
        const texts = [`${text} a`, `${text} b`]
        return {partition, texts, baseOffset: await sendTexts(backend(), {topic, partition}, texts)}
      })
      const acknowledged = await Promise.all(sends)
      const received = await readTopic(backend(), topic)
      expect(received.map(({length}) => length)).toEqual([40, 40, 40])
      for (const {partition, texts, baseOffset} of acknowledged)
        expect(textsOf(received[partition]!.slice(baseOffset, baseOffset + 2))).toEqual(texts)
    })

    it('has done with the buffers of a batch once it is sent', async () => {
      const topic = await newTopic(backend())
      const buffer = Buffer.from('first')
      const record = {key: buffer, value: [buffer], headers: [{key: 'h', value: buffer}]}
      await backend().producer.send({topic, partition: 0, records: [record]})
      buffer.write('later')
      const [received] = await readTopic(backend(), topic)
      const {key, value, headers} = received![0]!
      expect([key, value, headers[0]!.value].map(String)).toEqual(['first', 'first', 'first'])
    })

    it('sends a batch of exactly max.message.bytes, and refuses one byte more', async () => {
      const maxMessageBytes = 100_000
      const topic = await newTopic(backend(), 1, {'max.message.bytes': String(maxMessageBytes)})
      const send = (bytes: number) =>
        backend().producer.send({
          topic,
          partition: 0,
          records: [{key: null, value: [randomBytes(bytes)], headers: []}],
        })
      const fitting = largestValueBytes(maxMessageBytes)
      await send(fitting)
      await expect(send(fitting + 1)).rejects.toMatchObject({code: 'MESSAGE_TOO_LARGE'})
      expect(await send(fitting)).toEqual({baseOffset: 1})
    })

    it('sends a batch as large as brokers allow by default', async () => {
      const value = randomBytes(largestValueBytes(1_048_588))
      const [record] = await roundTrip([{key: null, value: [value], headers: []}])
      expect(record!.value!.equals(value)).toBe(true)
    })

    describe.runIf(kind.hasWire !== false).each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
      'compressing with %s',
      (codec) => {
        const isHere = codec !== 'zstd' || 'zstdCompress' in zlib
        const words = (count: number) => Buffer.from('as good as the same again and again, '.repeat(count))

        it.runIf(isHere)('writes what is read as it was', async () => {
          const topic = await newTopic(backend())
          const producer = backend().compressingProducer!(codec)
          const values = [words(1), words(40_000), randomBytes(70_000), Buffer.alloc(0), words(3)]
          const sent: OutgoingRecord[] = values.map((value, i) => ({
            key: Buffer.from(`k${i}`),
            value: [value],
            headers: [{key: 'h', value: randomBytes(3)}],
            timestampMs: 1_700_000_000_000 + i,
          }))
          expect(await producer.send({topic, partition: 0, records: sent})).toEqual({baseOffset: 0})
          expect(await producer.send({topic, partition: 0, records: sent.slice(0, 1)})).toEqual({
            baseOffset: 5,
          })
          const [received] = await readTopic(backend(), topic)
          // Deep equality takes long for so many bytes.
          const same = (one: ConsumedRecord, other: OutgoingRecord) =>
            one.key!.equals(other.key!) &&
            one.value!.equals(other.value![0]!) &&
            one.headers[0]!.value!.equals(other.headers[0]!.value!) &&
            one.timestampMs === other.timestampMs
          expect(received!.map((record, i) => same(record, sent[i % 5]!))).toEqual(Array(6).fill(true))
        })

        it.runIf(isHere)('is held against max.message.bytes by what is sent', async () => {
          const topic = await newTopic(backend(), 1, {'max.message.bytes': '100000'})
          const producer = backend().compressingProducer!(codec)
          const send = (value: Buffer) =>
            producer.send({topic, partition: 0, records: [{key: null, value: [value], headers: []}]})
          expect(await send(words(10_000))).toEqual({baseOffset: 0})
          expect(await send(randomBytes(largestValueBytes(100_000)))).toEqual({baseOffset: 1})
          await expect(send(randomBytes(100_000))).rejects.toMatchObject({code: 'MESSAGE_TOO_LARGE'})
        })

        it.skipIf(isHere)('is refused where it cannot be done', () => {
          expect(() => backend().compressingProducer!(codec)).toThrow(/zstd.*Node 22\.15/)
        })
      },
    )

    // Both are asked for again and again for a while: together.
    it.concurrent('refuses an unknown topic, and does not create it', async () => {
      const topic = uniqueName('unknown')
      const send = sendTexts(backend(), {topic, partition: 0}, ['x'])
      await expect(send).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
      await expect(backend().admin.describeTopic(topic)).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
    })

    it.concurrent('refuses a partition that the topic does not have', async () => {
      const topic = await newTopic(backend(), 1)
      const send = sendTexts(backend(), {topic, partition: 1}, ['x'])
      await expect(send).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
    })

    it('sends nothing once the signal has aborted', async () => {
      const topic = await newTopic(backend())
      const reason = new Error('changed my mind')
      const send = backend().producer.send(
        {topic, partition: 0, records: [textRecord('x')]},
        AbortSignal.abort(reason),
      )
      await expect(send).rejects.toBe(reason)
      expect((await backend().admin.partitionRanges(topic))[0]).toMatchObject({start: 0, end: 0})
    })
  })
}
