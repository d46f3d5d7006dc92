/** A real Spring Cloud Stream application before and behind `passthrough`: one could stand where the other stood. */
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {createKafkaClient, type KafkaClient} from '../../src/adapters/kafka/index.js'
import type {OutgoingRecord} from '../../src/core/record.js'
import type {RelayReport} from '../../src/core/report.js'
import {streamtool, streamtoolJson} from '../support/cli.js'
import {silentLogger} from '../support/delivery.js'
import {type RealKafka, startRealKafka} from '../support/real-kafka.js'
import {type SpringApp, type SpringMessage, type SpringOrder, startSpringApp} from '../support/spring-app.js'
import {temporaryDirectories} from '../support/temporary-directory.js'

const STREAM = 'spring.cloud.stream'
/** By whose hash the partition is chosen; of the last the hash is the one integer without an absolute value. */
const REGIONS = ['a', 'north', 'söuth', '東', 'Aa', 'BB', '', 'polygenelubricants']
const CONTENT_TYPES = ['text/plain', 'application/json', 'application/octet-stream']
/** Of where and when a message was read, not of what it is. */
const OF_THE_READING = new Set([
  'deliveryAttempt',
  'id',
  'kafka_consumer',
  'kafka_offset',
  'kafka_receivedTopic',
  'timestamp',
])

const newDirectory = temporaryDirectories()
let broker: RealKafka
let kafka: KafkaClient
let spring: SpringApp
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  broker = await startRealKafka()
  kafka = createKafkaClient({brokers: [broker.bootstrap], clientId: 'test'}, {logger: silentLogger})
  env = {...process.env, STREAMTOOL_BROKERS: broker.bootstrap, STREAMTOOL_STATE_DIR: await newDirectory()}
  for (const topic of ['sent', 'relayed']) await kafka.admin().createTopic(topic, {partitions: 3})
  for (const topic of ['plain', 'typed']) await kafka.admin().createTopic(topic, {partitions: 1})
  spring = await startSpringApp(broker.bootstrap, {
    'spring.cloud.function.definition': 'sink',
    [`${STREAM}.bindings.sink-in-0.destination`]: 'sent,relayed,typed',
    [`${STREAM}.bindings.sink-in-0.group`]: 'sink',
    [`${STREAM}.bindings.sink-in-0.consumer.max-attempts`]: '1',
    [`${STREAM}.kafka.bindings.sink-in-0.consumer.enable-dlq`]: 'true',
    [`${STREAM}.bindings.source-out-0.destination`]: 'sent',
    [`${STREAM}.bindings.source-out-0.producer.partition-key-expression`]: "headers['region']",
    [`${STREAM}.bindings.source-out-0.producer.partition-count`]: '3',
  })
}, 600_000)
afterAll(async () => {
  await spring.close()
  await kafka.close()
  await broker.close()
})

function relay(input: string, output: string, properties: Readonly<Record<string, string>>) {
  const all = {
    [`${STREAM}.bindings.input.destination`]: input,
    [`${STREAM}.bindings.input.group`]: 'relay',
    [`${STREAM}.bindings.output.destination`]: output,
    [`${STREAM}.kafka.binder.brokers`]: `PLAINTEXT://${broker.bootstrap}`,
    'server.port': '-1',
    ...properties,
  }
  const args = Object.entries(all).map(([name, value]) => `--${name}=${value}`)
  return streamtoolJson<RelayReport>(['passthrough', ...args, '--once'], {env})
}

/** What the messages are, wherever they were read; those of a partition in their order. */
function asReceived(messages: readonly SpringMessage[]) {
  return [0, 1, 2].map((partition) =>
    messages
      .filter(({headers}) => headers['kafka_receivedPartitionId']?.[1] === partition)
      .map(({type, payload, headers}) => ({
        type,
        payload: payload?.toString('hex') ?? null,
        headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_READING.has(name))),
      })),
  )
}

describe('Spring Cloud Stream -> passthrough -> Spring Cloud Stream', () => {
  it('gets each message as if it had read it itself: key, payload, typed headers, time, partition', async () => {
    const orders: SpringOrder[] = Array.from({length: 48}, (_, number) => ({
      payload:
        number % 12 === 5 ? Buffer.alloc(0) : Buffer.from(`${number} 🙂 \u0000`.repeat(1 + number * 20)),
      ...(number % 3 > 0 && {key: Buffer.from([number, 0x00, 0xff, 0x80])}),
      contentType: CONTENT_TYPES[number % CONTENT_TYPES.length]!,
      headers: {
        number,
        region: REGIONS[number % REGIONS.length],
        isLast: number === 47,
        ratio: number / 7,
        name: 'Ünïcode 🙂',
        tree: {list: [1, 'two', null], deep: {er: number}},
      },
      bytes: {binary: Buffer.from([0, 0xff, 0xfe, number]), nothing: Buffer.alloc(0)},
    }))
    for (const order of orders) spring.send(order)
    const sent = await spring.untilReceived('sent', orders.length)
    const report = await relay('sent', 'relayed', {
      [`${STREAM}.bindings.output.producer.partition-key-expression`]: "headers['region']",
      [`${STREAM}.bindings.output.producer.partition-count`]: '3',
    })
    expect(report.records).toMatchObject({read: orders.length, written: orders.length, failed: 0})
    const relayed = await spring.untilReceived('relayed', orders.length)

    expect(asReceived(relayed)).toEqual(asReceived(sent))
    expect(asReceived(relayed).every((ofPartition) => ofPartition.length > 0)).toBe(true)
    const last = relayed.find(({headers}) => headers['number']?.[1] === 47)!
    expect(last.payload).toEqual(orders[47]!.payload)
    expect(last.headers).toMatchObject({
      kafka_receivedMessageKey: ['byte[]', orders[47]!.key!.toString('base64')],
      contentType: ['MimeType', CONTENT_TYPES[2]],
      number: ['Integer', 47],
      isLast: ['Boolean', true],
      ratio: ['Double', 47 / 7],
      name: ['String', 'Ünïcode 🙂'],
      tree: ['LinkedHashMap', {list: [1, 'two', null], deep: {er: 47}}],
      binary: ['byte[]', Buffer.from([0, 0xff, 0xfe, 47]).toString('base64')],
      nothing: ['byte[]', ''],
    })
  })
})

describe('any producer -> passthrough -> Spring Cloud Stream', () => {
  const put = (value: string | null, headers: OutgoingRecord['headers'] = []) =>
    kafka.producer().send({
      topic: 'plain',
      partition: 0,
      records: [{key: Buffer.from('k'), value: value === null ? null : [Buffer.from(value)], headers}],
    })

  it('takes the content type that is written for it, and sends back what it refused', async () => {
    // As producers without Spring write it, its own readers fail on it.
    const plainType = {key: 'contentType', value: Buffer.from('text/csv')}
    await put('a;b', [plainType, {key: 'unit', value: Buffer.from('µm')}])
    await put('refused once')
    await put(null)
    await relay('plain', 'typed', {[`${STREAM}.bindings.output.content-type`]: 'text/plain'})
    const [first, refused, tombstone] = await spring.untilReceived('typed', 3)
    expect(first).toMatchObject({
      type: 'String',
      payload: Buffer.from('a;b'),
      headers: {
        contentType: ['MimeType', 'text/plain'],
        unit: ['byte[]', Buffer.from('µm').toString('base64')],
        kafka_receivedMessageKey: ['byte[]', Buffer.from('k').toString('base64')],
      },
    })

    expect(tombstone).toMatchObject({type: 'KafkaNull', payload: null})

    const letters = 'error.typed.sink'
    await expect
      .poll(async () => (await kafka.admin().partitionRanges(letters))[0]?.end, {timeout: 30_000})
      .toBe(1)
    const {exitCode, stderr} = await streamtool(['retry', '--from', letters], {env})
    expect(exitCode, stderr).toBe(0)
    const [, , , again] = await spring.untilReceived('typed', 4)
    expect(again!.payload).toEqual(Buffer.from('refused once'))
    expect(Object.keys(again!.headers)).toEqual(Object.keys(refused!.headers))
    expect(again!.headers['contentType']).toEqual(['MimeType', 'text/plain'])
  })
})
