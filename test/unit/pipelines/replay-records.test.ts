import {describe, expect, it} from 'vitest'
import {referenceLetter} from '../../../src/core/dead-letters/index.js'
import type {MemoryKafka} from '../../../src/adapters/memory/kafka/index.js'
import {replayRecords, type ReplayRecordsOptions} from '../../../src/pipelines/replay-records.js'
import {realClock, RecordingReporter, silentLogger} from '../../support/delivery.js'
import {byText, put, recordsOn, relay, relayKafka, valuesOn} from '../../support/relay.js'

const DEAD_LETTERS = {
  failure: {onFailure: 'dead-letter', deadLetterTopic: null, deadLetterPartitions: null},
  topicCreation: {autoCreate: true, replicationFactor: null, minPartitionCount: 1},
} as const
const text = (key: string, value: string) => ({key, value: Buffer.from(value)})
const broken = byText(() => {
  throw new Error('boom')
})

function replay(kafka: MemoryKafka, options: Partial<ReplayRecordsOptions> = {}) {
  return replayRecords(
    {command: 'retry', from: 'error.in.g', topic: null, to: null, group: 'retry', ...options},
    {
      admin: kafka.admin(),
      reader: kafka.reader(),
      producer: kafka.producer(),
      clock: realClock,
      logger: silentLogger,
      reporter: new RecordingReporter(),
      steps: {reached: () => undefined},
    },
    new AbortController().signal,
  )
}

describe('replayRecords', () => {
  it('sends what passthrough gave up on back as it was, once', async () => {
    const kafka = await relayKafka({inPartitions: 2})
    const headers = [text('h', 'x'), text('x-original-topic', 'older'), {key: 'n', value: null}]
    await put(kafka, [{key: Buffer.from('k'), value: 'a', headers}, {value: null}], {partition: 1})
    await relay({kafka, transform: broken, options: DEAD_LETTERS})

    const {report, exitCode} = await replay(kafka)
    expect(report.records).toEqual({read: 2, written: 2, failed: 0, deadLettered: 0})
    expect(exitCode).toBe(0)
    const again = (await recordsOn(kafka, 'in'))[1]?.slice(2)
    expect(again).toMatchObject([
      {key: Buffer.from('k'), value: Buffer.from('a'), headers},
      {value: null, headers: []},
    ])
    expect((await replay(kafka)).report.records.read).toBe(0)
    await relay({kafka})
    expect(await valuesOn(kafka)).toEqual(['a', null])
  })

  it('packed letters for a topic that takes smaller batches than it made: each would have fitted', async () => {
    const kafka = await relayKafka()
    await put(
      kafka,
      Array.from({length: 9}, (_, i) => ({value: String(i).repeat(400)})),
    )
    await relay({kafka, transform: broken, options: DEAD_LETTERS})
    await kafka.admin().createTopic('small', {partitions: 1, config: {'max.message.bytes': '1000'}})
    expect((await replay(kafka, {to: 'small'})).report.records).toMatchObject({written: 9, failed: 0})
    expect((await recordsOn(kafka, 'small'))[0]?.map(({value}) => String(value)[0]).join('')).toBe(
      '012345678',
    )
  })

  it('reads the record itself where a letter only says where it is, unless it is gone', async () => {
    const kafka = await relayKafka({inPartitions: 2})
    await put(kafka, [{value: 'before'}, {key: Buffer.from('k'), value: 'large', headers: [text('h', 'x')]}])
    const cause = {code: 'RECORD_FAILED', reason: 'boom', group: 'g'}
    const letters = [1, 9].map((offset) => {
      const place = {topic: 'in', partition: 0, offset, timestampMs: 0, key: null, value: null, headers: []}
      return {...referenceLetter(place, cause), value: null}
    })
    await kafka.admin().createTopic('error.in.g', {partitions: 1})
    await put(kafka, letters, {topic: 'error.in.g'})
    const {report, exitCode} = await replay(kafka)
    expect(report.records).toEqual({read: 2, written: 1, failed: 1, deadLettered: 0})
    expect(exitCode).toBe(4)
    expect((await recordsOn(kafka, 'in'))[0]?.slice(2)).toMatchObject([
      {key: Buffer.from('k'), value: Buffer.from('large'), headers: [text('h', 'x')]},
    ])
    expect((await replay(kafka)).report.records).toMatchObject({written: 0, failed: 1})
  })

  it('takes letters of Kafka Connect', async () => {
    const kafka = await relayKafka()
    await kafka.admin().createTopic('connect-dead', {partitions: 1})
    const headers = ['topic:in', 'partition:0', 'offset:7', 'stage:VALUE_CONVERTER'].map((each) => {
      const [name = '', value = ''] = each.split(':')
      return text(`__connect.errors.${name}`, value)
    })
    await put(kafka, [{value: 'v', headers: [text('own', '1'), ...headers]}], {topic: 'connect-dead'})
    await replay(kafka, {from: 'connect-dead', topic: 'in'})
    expect((await recordsOn(kafka, 'in'))[0]).toMatchObject([
      {value: Buffer.from('v'), headers: [text('own', '1')]},
    ])
  })

  it('sends to no topic that only the letter names', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'a'}])
    await relay({
      kafka,
      transform: broken,
      options: {...DEAD_LETTERS, failure: {...DEAD_LETTERS.failure, deadLetterTopic: 'dead'}},
    })
    const {report, exitCode} = await replay(kafka, {from: 'dead'})
    expect(report.records).toMatchObject({written: 0, failed: 1})
    expect(exitCode).toBe(4)
    expect((await replay(kafka, {from: 'dead', to: 'out'})).report.records.written).toBe(1)
    expect(await valuesOn(kafka)).toEqual(['a'])
  })

  it('leaves what is no letter, and says so', async () => {
    const kafka = await relayKafka()
    await kafka.admin().createTopic('error.in.g', {partitions: 1})
    const bad = [
      text('x-original-topic', 'in'),
      text('x-original-partition', 'x'),
      text('x-original-offset', ''),
    ]
    await put(kafka, [{value: 'a'}, {value: 'b', headers: bad}], {topic: 'error.in.g'})
    expect((await replay(kafka)).exitCode).toBe(4)
    expect((await replay(kafka)).report.records.failed).toBe(2)
  })

  it('keeps what was not acknowledged', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'a'}])
    await relay({kafka, transform: broken, options: DEAD_LETTERS})
    kafka.failNext('produce', 'refused')
    await expect(replay(kafka)).rejects.toMatchObject({code: 'BROKER_UNREACHABLE'})
    expect((await replay(kafka)).report.records.written).toBe(1)
  })
})
