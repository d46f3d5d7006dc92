import {afterEach, describe, expect, it} from 'vitest'
import {BytesReader, BytesWriter} from '../../../../src/adapters/kafka/bytes.js'
import {createProducer} from '../../../../src/adapters/kafka/producer.js'
import {decodeRecordSet} from '../../../../src/adapters/kafka/record-batch/decode.js'
import type {KafkaSettings} from '../../../../src/adapters/kafka/settings.js'
import {createCluster} from '../../../../src/adapters/kafka/transport/cluster.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import type {Clock} from '../../../../src/core/ports/index.js'
import {eventually} from '../../../support/eventually.js'
import {keepingLogger, settingsFor} from '../../../support/kafka-settings.js'
import {plainRecord} from '../../../support/record-batches.js'
import {api, metadataAnswer, startScriptedBroker} from '../../../support/scripted-broker.js'
import type {Answerer, ScriptedBroker, ScriptedRequest} from '../../../support/scripted-broker.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

interface Acknowledgement {
  readonly topic?: string
  readonly partition?: number
  readonly errorCode?: number
  readonly baseOffset?: bigint
}

/** Produce, version 7. */
function acknowledge({
  topic = 'files',
  partition = 1,
  errorCode = 0,
  baseOffset = 42n,
}: Acknowledgement = {}): Buffer {
  const offset = Buffer.alloc(8)
  offset.writeBigInt64BE(baseOffset)
  const partitionAnswer = Buffer.concat([
    new BytesWriter().int32(partition).int16(errorCode).finish(),
    offset,
    Buffer.alloc(16), // log append time, log start offset
  ])
  const head = new BytesWriter().int32(1).string(topic).int32(1).finish()
  return Buffer.concat([head, partitionAnswer, Buffer.alloc(4)])
}

/** What a Produce request says. */
function readProduce({body}: ScriptedRequest) {
  const reader = new BytesReader(body)
  const transactionalId = reader.int16()
  const [acks, timeoutMs, topicCount] = [reader.int16(), reader.int32(), reader.int32()]
  const topic = reader.string()
  const [partitionCount, partition] = [reader.int32(), reader.int32()]
  const records = reader.nullableBytes()
  return {
    transactionalId,
    acks,
    timeoutMs,
    topicCount,
    topic,
    partitionCount,
    partition,
    records,
    rest: reader.isAtEnd,
  }
}

/** Brokers 1, 2, … of which one leads partition 1 of the topic `files`. */
async function setUp(
  produce: readonly Answerer[],
  {
    leader = () => 1,
    topicError = () => 0,
    settings = {},
    clock = systemClock,
  }: {
    leader?: () => number
    topicError?: () => number
    settings?: Partial<KafkaSettings>
    clock?: Clock
  } = {},
) {
  const brokers: ScriptedBroker[] = []
  for (const answer of produce) {
    const broker = await startScriptedBroker({
      [api.produce]: answer,
      [api.metadata]: () =>
        metadataAnswer(
          brokers.map(({host, port}, index) => ({nodeId: index + 1, host, port})),
          [
            {
              topic: 'files',
              errorCode: topicError(),
              leaders: topicError() === 0 ? [leader(), leader()] : [],
            },
          ],
        ),
    })
    brokers.push(broker)
    cleanups.push(() => broker.close())
  }
  const cluster = createCluster(settingsFor([brokers[0]!.address], settings), keepingLogger(), {clock})
  const producer = createProducer(cluster, {clock})
  cleanups.push(() => producer.close())
  const produced = (broker: ScriptedBroker) => broker.requests.filter(({apiKey}) => apiKey === api.produce)
  return {brokers, producer, produced}
}

const batch = {topic: 'files', partition: 1, records: [plainRecord('one'), plainRecord('two')]}

describe('sending', () => {
  it('sends one partition a request, to be acknowledged by all replicas, and answers the base offset', async () => {
    const {brokers, producer, produced} = await setUp([() => acknowledge({baseOffset: 2n ** 40n})])
    expect(await producer.send(batch)).toEqual({baseOffset: 2 ** 40})
    const request = readProduce(produced(brokers[0]!)[0]!)
    expect(request).toMatchObject({
      transactionalId: -1,
      acks: -1,
      topicCount: 1,
      topic: 'files',
      partitionCount: 1,
      partition: 1,
      rest: true,
    })
    const {records} = await decodeRecordSet({
      ...batch,
      bytes: request.records!,
      fromOffset: 0,
      abortedTransactions: [],
    })
    expect(records.map(({value}) => String(value))).toEqual(['one', 'two'])
  })

  it('writes a value of many buffers as one', async () => {
    const {brokers, producer, produced} = await setUp([() => acknowledge()])
    const value = [
      Buffer.from('head '),
      Buffer.alloc(600_000, 'x'),
      Buffer.alloc(5_000, 'y'),
      Buffer.from(' tail'),
    ]
    await producer.send({...batch, records: [{key: null, value, headers: []}]})
    const bytes = readProduce(produced(brokers[0]!)[0]!).records!
    const {records} = await decodeRecordSet({...batch, bytes, fromOffset: 0, abortedTransactions: []})
    expect(records[0]!.value!.equals(Buffer.concat(value))).toBe(true)
  })

  it('has many out at a time on one connection', async () => {
    let most = 0
    let out = 0
    const {brokers, producer} = await setUp([
      async () => {
        most = Math.max(most, ++out)
        await new Promise((resolve) => setTimeout(resolve, 20))
        out--
        return acknowledge()
      },
    ])
    await Promise.all(Array.from({length: 8}, () => producer.send(batch)))
    expect(most).toBe(8)
    expect(brokers[0]!.accepted).toBe(1)
  })
})

describe('an answer that is no acknowledgement makes it send again', () => {
  const then =
    (...answers: (Acknowledgement | null)[]): Answerer =>
    ({turn, socket}) => {
      const answer = answers[turn]
      if (answer === null) socket.destroy()
      return answer === null ? null : acknowledge(answer ?? {})
    }

  it.each<[string, Acknowledgement | null]>([
    ['another partition', {partition: 0}],
    ['another topic', {topic: 'other'}],
    ['no base offset', {baseOffset: -1n}],
    ['a leader that was moved', {errorCode: 6, baseOffset: -1n}],
    ['too few replicas', {errorCode: 19, baseOffset: -1n}],
    ['a time-out among the replicas', {errorCode: 7, baseOffset: -1n}],
    ['a batch that was damaged on its way', {errorCode: 2, baseOffset: -1n}],
    ['a disk that failed', {errorCode: 56, baseOffset: -1n}],
    ['a lost connection', null],
  ])('%s', async (_, first) => {
    const {brokers, producer, produced} = await setUp([then(first)])
    expect(await producer.send(batch)).toEqual({baseOffset: 42})
    expect(produced(brokers[0]!)).toHaveLength(2)
    const [once, again] = produced(brokers[0]!).map(({body}) => body)
    expect(again).toEqual(once)
  })

  it('an answer without any topic', async () => {
    const nothing = new BytesWriter().int32(0).int32(0).finish()
    const {producer} = await setUp([({turn}) => (turn === 0 ? nothing : acknowledge())])
    expect(await producer.send(batch)).toEqual({baseOffset: 42})
  })

  it('at the new leader, after asking who that is', async () => {
    let leader = 1
    const moved: Answerer = () => {
      leader = 2
      return acknowledge({errorCode: 6, baseOffset: -1n})
    }
    const {brokers, producer, produced} = await setUp([moved, () => acknowledge({baseOffset: 7n})], {
      leader: () => leader,
    })
    expect(await producer.send(batch)).toEqual({baseOffset: 7})
    expect(brokers.map((broker) => produced(broker).length)).toEqual([1, 1])
  })

  it('of each of several that were out, none lost and none mixed up', async () => {
    const acknowledged = new Map<string, number>()
    const {producer} = await setUp([
      async ({turn, body, socket}) => {
        const {records} = await decodeRecordSet({
          ...batch,
          bytes: readProduce({body} as ScriptedRequest).records!,
          fromOffset: 0,
          abortedTransactions: [],
        })
        if (turn === 3 || turn === 9) {
          socket.destroy()
          return null
        }
        acknowledged.set(String(records[0]!.value), turn)
        return acknowledge({baseOffset: BigInt(turn)})
      },
    ])
    const names = Array.from({length: 12}, (_, i) => `record ${i}`)
    const sent = await Promise.all(
      names.map((name) => producer.send({...batch, records: [plainRecord(name)]})),
    )
    expect(sent.map(({baseOffset}) => baseOffset)).toEqual(names.map((name) => acknowledged.get(name)))
  })
})

describe('giving up', () => {
  it('at once when the batch is too large, saying how large it was', async () => {
    const {brokers, producer, produced} = await setUp([() => acknowledge({errorCode: 10, baseOffset: -1n})])
    await expect(producer.send(batch)).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      message: 'topic files, partition 1: the topic does not take a record batch of 81 bytes',
      facts: {topic: 'files', partition: 1},
    })
    expect(produced(brokers[0]!)).toHaveLength(1)
  })

  it('at once when this user may not write', async () => {
    const {producer} = await setUp([() => acknowledge({errorCode: 29, baseOffset: -1n})])
    await expect(producer.send(batch)).rejects.toMatchObject({
      code: 'NOT_AUTHORISED',
      facts: {kafkaErrorCode: 29},
    })
  })

  it('at once with what has no code of its own', async () => {
    const {producer} = await setUp([() => acknowledge({errorCode: 87, baseOffset: -1n})])
    await expect(producer.send(batch)).rejects.toMatchObject({
      code: 'BROKER_REFUSED',
      message: expect.stringContaining('INVALID_RECORD') as unknown,
    })
  })

  it('after the outage tolerance, naming the brokers', async () => {
    const {brokers, producer} = await setUp([() => acknowledge()], {settings: {outageToleranceMs: 300}})
    await producer.send(batch)
    await brokers[0]!.close()
    const started = performance.now()
    await expect(producer.send(batch)).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
      message: expect.stringContaining(brokers[0]!.address) as unknown,
    })
    expect(performance.now() - started).toBeGreaterThan(290)
  })

  it('when told to, with the reason', async () => {
    const {brokers, producer, produced} = await setUp([() => null])
    const abort = new AbortController()
    const sending = producer.send(batch, abort.signal)
    await eventually('it is out', () => produced(brokers[0]!).length === 1)
    abort.abort(new Error('enough'))
    await expect(sending).rejects.toThrow('enough')
  })

  it('when it is closed', async () => {
    const {brokers, producer, produced} = await setUp([() => null])
    const sending = producer.send(batch)
    await eventually('it is out', () => produced(brokers[0]!).length === 1)
    await Promise.all([producer.close(), expect(sending).rejects.toMatchObject({code: 'BROKER_UNREACHABLE'})])
  })
})

it('waits for a topic that was just created', async () => {
  let asked = 0
  const {producer} = await setUp([() => acknowledge()], {topicError: () => (asked++ < 6 ? 3 : 0)})
  expect(await producer.send(batch)).toEqual({baseOffset: 42})
})

it('believes after ten seconds that a topic does not exist', async () => {
  let nowMs = 0
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms
    },
  }
  const {producer} = await setUp([() => acknowledge()], {topicError: () => 3, clock})
  await expect(producer.send(batch)).rejects.toMatchObject({
    code: 'TOPIC_UNKNOWN',
    message: 'topic files, partition 1: the topic does not exist',
  })
  expect(nowMs).toBe(10_000)
})

it('goes on where it was when the only broker comes back', async () => {
  const {brokers, producer} = await setUp([() => acknowledge()], {settings: {outageToleranceMs: 20_000}})
  await producer.send(batch)
  const [{host, port}] = brokers as [ScriptedBroker]
  await brokers[0]!.close()
  const sending = producer.send(batch)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const back = await startScriptedBroker(
    {
      [api.produce]: () => acknowledge({baseOffset: 43n}),
      [api.metadata]: () => metadataAnswer([{nodeId: 1, host, port}], [{topic: 'files', leaders: [1, 1]}]),
    },
    {port},
  )
  cleanups.push(() => back.close())
  expect(await sending).toEqual({baseOffset: 43})
})
