import {describe, expect, it} from 'vitest'
import {createMemoryKafka, type MemoryKafka} from '../../../src/adapters/memory/kafka/index.js'
import {partitionForPath} from '../../../src/core/chunk/index.js'
import type {ConsumedRecord, ProduceBatch, Step} from '../../../src/core/ports/index.js'
import type {ResultRecord} from '../../../src/processors/contract.js'
import {createResults, type Results} from '../../../src/processors/results.js'
import {deferred} from '../../support/eventually.js'
import {fileInfo} from '../../support/processed-file.js'

const {signal} = new AbortController()
const FILE = fileInfo('run 1/scan.csv', 'content')
const MAX_BYTES = 2000

async function setUp({
  topic = 'results',
  maxMessageBytes = String(MAX_BYTES),
}: {topic?: string | null; maxMessageBytes?: string} = {}) {
  const kafka = createMemoryKafka()
  for (const each of ['results', 'others'])
    await kafka.admin().createTopic(each, {partitions: 5, config: {'max.message.bytes': maxMessageBytes}})
  const batches: ProduceBatch[] = []
  const producer = kafka.producer()
  const reached: Step[] = []
  const results = createResults({
    topic,
    admin: kafka.admin(),
    producer: {
      ...producer,
      send: async (batch, sendSignal) => {
        batches.push(batch)
        return producer.send(batch, sendSignal)
      },
    },
    steps: {reached: (step) => void reached.push(step)},
  })
  return {kafka, results, batches, reached}
}

async function onTopic(kafka: MemoryKafka, topic = 'results'): Promise<readonly ConsumedRecord[]> {
  const records: ConsumedRecord[] = []
  for (const range of await kafka.admin().partitionRanges(topic)) {
    await kafka.reader().read(range, async (some) => void records.push(...some))
  }
  return records
}
const textOf = ({key, value, headers}: ConsumedRecord) => ({
  key: key?.toString() ?? null,
  value: value?.toString() ?? null,
  headers: headers.map((each) => `${each.key}=${each.value?.toString() ?? ''}`),
})
const produce = (results: Results, record: unknown, file = FILE) =>
  results.produce(record as ResultRecord, file, signal)

describe('what a processor produces', () => {
  it('is on the topic when it is acknowledged, as it was given', async () => {
    const {kafka, results, reached} = await setUp()
    await produce(results, {
      key: 'k',
      value: {b: [1, 'ü'], a: null},
      headers: {h: 'text', i: Buffer.from('bytes')},
    })
    await produce(results, {key: Buffer.from('k'), value: 'text'})
    await produce(results, {key: 'k', value: Buffer.from('bytes')})
    await produce(results, {key: 'k', value: null})
    expect((await onTopic(kafka)).map(textOf)).toEqual([
      {key: 'k', value: '{"b":[1,"ü"],"a":null}', headers: ['h=text', 'i=bytes']},
      {key: 'k', value: 'text', headers: []},
      {key: 'k', value: 'bytes', headers: []},
      {key: 'k', value: null, headers: []},
    ])
    expect(reached.slice(0, 2)).toEqual(['before-produce', 'after-produce'])
  })

  it('goes to the partition of its key, or else of the path of its file', async () => {
    const {kafka, results} = await setUp()
    for (let i = 0; i < 20; i++) await produce(results, {key: `k${i}`, value: `k${i}`})
    for (const {key, partition} of await onTopic(kafka)) {
      expect(partition).toBe(partitionForPath(key!.toString(), 5))
    }
    const other = await setUp()
    for (let i = 0; i < 20; i++) {
      await produce(other.results, {value: `f${i}`}, fileInfo(`f${i}`))
      await produce(other.results, {key: null, value: `f${i}`}, fileInfo(`f${i}`))
    }
    const records = await onTopic(other.kafka)
    expect(records).toHaveLength(40)
    for (const {value, partition} of records) expect(partition).toBe(partitionForPath(value!.toString(), 5))
  })

  it('goes to the topic that it names', async () => {
    const {kafka, results} = await setUp({topic: null})
    await produce(results, {topic: 'others', value: 'x'})
    expect(await onTopic(kafka, 'others')).toHaveLength(1)
  })

  it('shares batches', async () => {
    const {kafka, results, batches} = await setUp()
    await Promise.all(Array.from({length: 100}, (_, i) => produce(results, {key: 'one', value: String(i)})))
    expect(await onTopic(kafka)).toHaveLength(100)
    expect(batches.length).toBeLessThan(20)
  })

  it('is refused when it has no topic, and that ends the run', async () => {
    const {results} = await setUp({topic: null})
    await expect(produce(results, {value: 'x'})).rejects.toMatchObject({
      code: 'SETTING_MISSING',
      endsRun: true,
      exitCode: 2,
      message: 'There is no topic that a result of run 1/scan.csv could go to.',
    })
  })

  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  it.each([
    ['no value', {}, /a text, a Buffer, an object or null; this is undefined/],
    ['a number', {value: 5}, /this is a number/],
    ['a circle', {value: circular}, /circular/],
    ['a big integer', {value: {n: 5n}}, /BigInt/],
    ['nothing as JSON', {value: {toJSON: () => undefined}}, /becomes nothing as JSON/],
    ['a key that is none', {key: 5, value: ''}, /the key of a result is a text or a Buffer/],
    ['a header that is none', {value: '', headers: {h: {}}}, /the header h of a result/],
  ])('is refused when it is no record: %s', async (_, record, message) => {
    const {kafka, results} = await setUp()
    await expect(produce(results, record)).rejects.toMatchObject({
      code: 'PROCESSING_FAILED',
      message: expect.stringMatching(message) as string,
      facts: {path: 'run 1/scan.csv'},
    })
    expect(await onTopic(kafka)).toEqual([])
  })

  it('names its file when it is too large, and leaves those of other files alone', async () => {
    const {kafka, results} = await setUp()
    const small = Array.from({length: 10}, (_, i) => produce(results, {key: 'k', value: `small ${i}`}))
    await expect(produce(results, {key: 'k', value: 'x'.repeat(MAX_BYTES)})).rejects.toMatchObject({
      code: 'PROCESSING_FAILED',
      message: expect.stringMatching(
        /^A result of run 1\/scan\.csv could not be sent to results: it needs \d+ bytes, and the topic takes 2000/,
      ) as string,
      facts: {path: 'run 1/scan.csv', topic: 'results'},
    })
    await Promise.all(small)
    expect(await onTopic(kafka)).toHaveLength(10)
  })

  it('is sent alone when a topic that does not say what it takes refuses a batch', async () => {
    const kafka = createMemoryKafka()
    await kafka.admin().createTopic('results', {partitions: 1, config: {'max.message.bytes': '300'}})
    const results = createResults({
      topic: 'results',
      admin: {
        describeTopic: async (topic) => ({
          ...(await kafka.admin().describeTopic(topic)),
          maxMessageBytes: null,
        }),
      },
      producer: kafka.producer(),
      steps: {reached: () => undefined},
    })
    await Promise.all(Array.from({length: 10}, (_, i) => produce(results, {value: `${i}${'x'.repeat(100)}`})))
    expect(await onTopic(kafka)).toHaveLength(10)
    await expect(produce(results, {value: 'x'.repeat(500)})).rejects.toMatchObject({
      code: 'PROCESSING_FAILED',
    })
  })

  it('says which topic is not there, and looks for it again', async () => {
    const kafka = createMemoryKafka()
    const results = createResults({
      topic: 'late',
      admin: {describeTopic: (topic) => kafka.admin().describeTopic(topic)},
      producer: kafka.producer(),
      steps: {reached: () => undefined},
    })
    await expect(results.checkTopic()).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
    await expect(produce(results, {value: 'x'})).rejects.toMatchObject({
      code: 'TOPIC_UNKNOWN',
      message: expect.stringContaining('A result of run 1/scan.csv could not be sent to late') as string,
    })
    await kafka.admin().createTopic('late', {partitions: 1})
    await results.checkTopic()
    await produce(results, {value: 'x'})
    expect(await onTopic(kafka, 'late')).toHaveLength(1)
  })

  it('is no longer waited for when the attempt is over', async () => {
    const {promise, resolve} = deferred<{baseOffset: number}>()
    const results = createResults({
      topic: 'results',
      admin: createMemoryKafka({}).admin(),
      producer: {send: () => promise, close: async () => undefined},
      steps: {reached: () => undefined},
    })
    const attempt = new AbortController()
    const sending = results.produce({value: 'x'}, FILE, attempt.signal)
    attempt.abort(new Error('too long'))
    await expect(sending).rejects.toThrow('too long')
    resolve({baseOffset: 0})
  })
})

describe('what a processor returns', () => {
  it('is sent as the message of a reproducer of OpenMSIStream, when it is an object', async () => {
    const {kafka, results} = await setUp()
    await results.returned({peak: 12.5}, FILE, signal)
    await results.returned(Buffer.from('{"as": "printed"}'), fileInfo('root.csv'), signal)
    expect((await onTopic(kafka)).map(textOf).sort((a, b) => a.key!.localeCompare(b.key!))).toEqual([
      {key: '_root.csv_chunk_processing_result', value: '{"as": "printed"}', headers: []},
      {key: 'run 1_scan.csv_chunk_processing_result', value: '{"peak":12.5}', headers: []},
    ])
  })

  it.each([undefined, null, true, 5, 'text'])('is no result when it is %s', async (value) => {
    const {kafka, results} = await setUp()
    await results.returned(value, FILE, signal)
    expect(await onTopic(kafka)).toEqual([])
  })

  it('is no result without a result topic', async () => {
    const {results, batches} = await setUp({topic: null})
    await results.returned({a: 1}, FILE, signal)
    expect(batches).toEqual([])
  })
})
