import {randomBytes} from 'node:crypto'
import fc from 'fast-check'
import {describe, expect, it, onTestFinished} from 'vitest'
import * as administration from '../../../../src/sandbox/broker/protocol/administration.js'
import {apiVersions, findCoordinator, metadata} from '../../../../src/sandbox/broker/protocol/cluster.js'
import {KafkaError} from '../../../../src/sandbox/broker/protocol/errors.js'
import {heartbeat, joinGroup} from '../../../../src/sandbox/broker/protocol/group-membership.js'
import {
  deleteRecords,
  fetch,
  initProducerId,
  listOffsets,
  produce,
} from '../../../../src/sandbox/broker/protocol/records.js'
import {makeBatch} from '../../../support/sandbox/kafkajs-internals.js'
import {RawClient} from '../../../support/sandbox/raw-client.js'
import {rememberingLogger, temporarySandbox} from '../../../support/sandbox/temporary.js'

async function connected() {
  const {logger, lines} = rememberingLogger()
  const {bootstrap} = await temporarySandbox({logger})
  const connect = async () => {
    const client = await RawClient.open(bootstrap)
    onTestFinished(() => client.close())
    return client
  }
  return {client: await connect(), connect, logged: lines}
}

const produceOne = (
  records: Buffer,
  more: Partial<{acks: number; topic: string; partition: number}> = {},
) => {
  const {acks = -1, topic = 't', partition = 0} = more
  return {transactionalId: null, acks, topics: [{topic, partitions: [{partition, records}]}]}
}

interface Position {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly maxBytes?: number
}

const fetchOf = (
  positions: readonly Position[],
  limits: {maxWaitMs?: number; minBytes?: number; maxBytes?: number} = {},
) => ({
  ...{maxWaitMs: 0, minBytes: 1, maxBytes: 2 ** 20, sessionEpoch: -1, ...limits},
  topics: positions.map(({topic = 't', ...position}) => ({
    topic,
    partitions: [{partition: 0, offset: 0, maxBytes: 2 ** 20, ...position}],
  })),
})

async function makeTopic(
  client: RawClient,
  topic = 't',
  config: {name: string; value: string}[] = [],
): Promise<void> {
  const wanted = {topic, partitionCount: 2, replicationFactor: 1, assignments: [], config}
  const answer = await client.request(administration.createTopics, 3, {topics: [wanted], validateOnly: false})
  expect(answer.topics).toEqual([{topic, error: 0, message: null}])
}

describe('a connection', () => {
  it('answers pipelined requests in their order, also when one of them waits', async () => {
    const {client, connect} = await connected()
    await makeTopic(client)
    const order: string[] = []
    const note = (name: string) => () => void order.push(name)
    const answers = [
      client.request(fetch, 11, fetchOf([{}], {maxWaitMs: 60_000})).then(note('long poll')),
      client.request(metadata, 6, {topics: [], mayCreate: false}).then(note('metadata')),
      client.request(listOffsets, 3, {topics: []}).then(note('offsets')),
    ]
    const other = await connect()
    await other.request(produce, 7, produceOne(await makeBatch({values: ['x']})))
    await Promise.all(answers)
    expect(order).toEqual(['long poll', 'metadata', 'offsets'])
  })

  it('whose client vanished while a JoinGroup was parked disturbs nobody', async () => {
    const {client, connect} = await connected()
    const member = {
      groupId: 'g',
      memberId: '',
      instanceId: 'i',
      protocolType: 'consumer',
      isGivenIdFirst: false,
    }
    const request = {
      ...member,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocols: [{name: 'p', metadata: Buffer.alloc(0)}],
    }
    const leader = await client.request(joinGroup, 5, request)
    const vanishing = await connect()
    vanishing.sendRequest(joinGroup, 5, {...request, instanceId: 'j'})
    const beat = () => client.request(heartbeat, 3, {...leader, groupId: 'g', instanceId: 'i'})
    while ((await beat()).error !== KafkaError.REBALANCE_IN_PROGRESS);
    vanishing.close()
    await vanishing.closed
    const rejoined = await client.request(joinGroup, 5, {...request, memberId: leader.memberId})
    expect(rejoined).toMatchObject({error: 0, generation: 2})
  })

  it('sends large answers whole to a client that reads slowly', async () => {
    const {client} = await connected()
    await makeTopic(client, 't', [{name: 'max.message.bytes', value: '10000000'}])
    const batch = await makeBatch({values: [randomBytes(9_000_000)]})
    await client.request(produce, 7, produceOne(batch))
    client.pauseFor(100)
    const answers = await Promise.all(
      Array.from({length: 5}, () =>
        client.request(fetch, 11, fetchOf([{maxBytes: 2 ** 30}], {maxBytes: 2 ** 30})),
      ),
    )
    for (const answer of answers) {
      expect(answer.topics[0]!.partitions[0]!.records.equals(batch)).toBe(true)
    }
  })
})

describe('hostile bytes', () => {
  const frame = (hex: string) => {
    const body = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    const size = Buffer.alloc(4)
    size.writeInt32BE(body.length)
    return Buffer.concat([size, body])
  }

  it.each<[string, Buffer]>([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a size of two gigabytes', Buffer.from('7fffffff', 'hex')],
    ['a negative size', Buffer.from('ffffffff', 'hex')],
    ['an empty request', frame('')],
    ['a header that ends early', frame('0003 0006 0000')],
    ['an unknown API', frame('03e7 0000 00000001 ffff')],
    ['a version that is not served', frame('0001 0063 00000001 ffff')],
    ['a negative version', frame('0001 ffff 00000001 ffff')],
    ['an array of two thousand million topics', frame('0003 0006 00000001 ffff 7fffffff 00')],
    ['a string longer than the request', frame('0003 0006 00000001 ffff 00000001 7fff 41 00')],
    ['random bytes in a frame', frame(randomBytes(200).toString('hex'))],
  ])('%s: the connection is closed, and the broker goes on', async (_, bytes) => {
    const {client, connect, logged} = await connected()
    client.sendBytes(bytes)
    await client.closed
    expect(logged).toEqual([expect.stringMatching(/^warn: closing a client's connection: /)])
    const next = await connect()
    expect(await next.request(metadata, 6, {topics: null, mayCreate: false})).toMatchObject({topics: []})
  })

  it('mutated requests of every kind never stop the broker', async () => {
    const {connect, logged} = await connected()
    const valid = Buffer.concat([
      frame('0003 0006 00000001 ffff 00000001 0001 74 01'),
      frame('000b 0005 00000002 ffff 0001 67 00002710 00002710 0000 ffff 0001 63 00000001 0001 70 00000000'),
      frame(
        '0008 0005 00000003 ffff 0001 67 ffffffff 0000 00000001 0001 74 00000001 00000000 0000000000000005 ffff',
      ),
      frame('0002 0003 00000004 ffff ffffffff 00 00000001 0001 74 00000001 00000000 ffffffffffffffff'),
      frame('0013 0003 00000005 ffff 00000001 0001 75 00000001 0001 00000000 00000000 00007530 00'),
    ])
    const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(fc.array(change, {minLength: 1, maxLength: 6}), async (changes) => {
        const mutated = Buffer.from(valid)
        for (const [position, byte] of changes) mutated[position] = byte
        const client = await connect()
        client.sendBytes(mutated)
        client.end()
        await client.closed
      }),
      {numRuns: 200},
    )
    const survivor = await connect()
    expect(await survivor.request(apiVersions, 0, {clientName: '', clientVersion: ''})).toMatchObject({
      error: 0,
    })
    expect(logged.filter((line) => line.startsWith('error'))).toEqual([])
  })
})

describe('ApiVersions', () => {
  const names = {clientName: 'raw', clientVersion: '1'}

  it.each([0, 1, 2, 3])('lists what is served, in version %i', async (version) => {
    const {client} = await connected()
    const {error, apis} = await client.request(apiVersions, version, names)
    expect(error).toBe(0)
    expect(apis.find(({key}) => key === fetch.key)).toMatchObject({min: 4, max: 11})
    expect(apis.find(({key}) => key === produce.key)).toMatchObject({min: 0, max: 7})
    expect(apis).toHaveLength(22)
  })

  it('answers a version that is not served in version 0, naming those that are', async () => {
    const {client} = await connected()
    const answer = client.request({...apiVersions, response: atVersion(apiVersions.response, 0)}, 4, names)
    expect(await answer).toEqual({
      error: KafkaError.UNSUPPORTED_VERSION,
      apis: [{key: apiVersions.key, min: 0, max: 3}],
    })
  })

  type Answer = typeof apiVersions.response
  const atVersion = (field: Answer, version: number): Answer => ({
    read: (reader) => field.read(reader, version),
    write: (writer, value) => field.write(writer, value, version),
  })
})

describe('Metadata', () => {
  it('makes a topic with the default number of partitions when the request allows it', async () => {
    const {client} = await connected()
    const ask = (mayCreate: boolean) => client.request(metadata, 6, {topics: ['t', 'no name'], mayCreate})
    const errors = ({topics}: Awaited<ReturnType<typeof ask>>) => topics.map(({error}) => error)
    expect(errors(await ask(false))).toEqual([
      KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
      KafkaError.INVALID_TOPIC,
    ])
    const made = await ask(true)
    expect(errors(made)).toEqual([0, KafkaError.INVALID_TOPIC])
    expect(made.topics[0]!.partitions.map(({partition, leader}) => [partition, leader])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 1],
    ])
    expect((await client.request(metadata, 6, {topics: null, mayCreate: true})).topics).toHaveLength(1)
  })
})

describe('Produce', () => {
  it('refuses partition by partition', async () => {
    const {client} = await connected()
    await makeTopic(client)
    const records = await makeBatch({values: ['x']})
    const errorOf = async (
      request:
        | ReturnType<typeof produceOne>
        | (Omit<ReturnType<typeof produceOne>, 'transactionalId'> & {transactionalId: string}),
    ) => (await client.request(produce, 7, request)).topics[0]!.partitions[0]!.error
    expect(await errorOf(produceOne(records, {topic: 'none'}))).toBe(KafkaError.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await errorOf(produceOne(records, {partition: 2}))).toBe(KafkaError.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await errorOf(produceOne(records, {acks: 2}))).toBe(KafkaError.INVALID_REQUIRED_ACKS)
    const transactional = {...produceOne(records), transactionalId: 'x'}
    expect(await errorOf(transactional)).toBe(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)

    const topics = [
      {
        topic: 't',
        partitions: [
          {partition: 0, records},
          {partition: 7, records},
          {partition: 1, records},
        ],
      },
    ]
    const answer = await client.request(produce, 7, {transactionalId: null, acks: 1, topics})
    expect(answer.topics[0]!.partitions.map(({error, baseOffset}) => [error, baseOffset])).toEqual([
      [0, 0],
      [KafkaError.UNKNOWN_TOPIC_OR_PARTITION, -1],
      [0, 0],
    ])
  })

  it('with acks=0 has no answer, and a connection that is closed when it fails', async () => {
    const {client, logged} = await connected()
    await makeTopic(client)
    const records = await makeBatch({values: ['x']})
    client.sendRequest(produce, 7, produceOne(records, {acks: 0}))
    const {topics} = await client.request(listOffsets, 3, {
      topics: [{topic: 't', partitions: [{partition: 0, timestampMs: -1}]}],
    })
    expect(topics[0]!.partitions[0]!.offset).toBe(1)
    client.sendRequest(produce, 7, produceOne(records, {acks: 0, partition: 9}))
    await client.closed
    expect(logged.at(-1)).toContain('acks=0')
  })

  it('obeys max.message.bytes as it is changed, to the byte', async () => {
    const {client} = await connected()
    await makeTopic(client)
    const batch = await makeBatch({values: [Buffer.alloc(3000)]})
    const setLimit = (value: number) =>
      client.request(administration.alterConfigs, 1, {
        resources: [
          {
            type: administration.TOPIC_RESOURCE,
            name: 't',
            config: [{name: 'max.message.bytes', value: String(value)}],
          },
        ],
        validateOnly: false,
      })
    const send = async () =>
      (await client.request(produce, 7, produceOne(batch))).topics[0]!.partitions[0]!.error
    await setLimit(batch.length - 1)
    expect(await send()).toBe(KafkaError.MESSAGE_TOO_LARGE)
    await setLimit(batch.length)
    expect(await send()).toBe(0)
  })

  it('has producer ids for idempotence, and none for transactions', async () => {
    const {client, logged} = await connected()
    const ids = [null, null, 'mine'].map((transactionalId) =>
      client.request(initProducerId, 1, {transactionalId}),
    )
    expect((await Promise.all(ids)).map(({error, producerId}) => [error, producerId])).toEqual([
      [0, 0],
      [0, 1],
      [KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, -1],
    ])
    expect(logged).toEqual([expect.stringContaining('client raw asked for transactions')])
    expect(await client.request(findCoordinator, 2, {key: 'mine', keyType: 1})).toMatchObject({
      error: KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
      message: 'the sandbox has no transactions',
    })
  })
})

describe('Fetch', () => {
  async function filled() {
    const {client, connect} = await connected()
    await makeTopic(client)
    const batch = await makeBatch({values: ['x']})
    for (const partition of [0, 0, 1]) await client.request(produce, 7, produceOne(batch, {partition}))
    const bytesOf = async (request: ReturnType<typeof fetchOf>, from = client) =>
      (await from.request(fetch, 11, request)).topics.map(({partitions}) => partitions[0]!.records.length)
    return {client, connect, batch, bytesOf}
  }

  it('sends the first batch whole, whatever the limits, and then keeps to them', async () => {
    const {bytesOf, batch} = await filled()
    const both = [{partition: 0}, {partition: 1}]
    expect(await bytesOf(fetchOf(both, {maxBytes: 0}))).toEqual([batch.length, 0])
    expect(await bytesOf(fetchOf(both, {maxBytes: batch.length + 5}))).toEqual([batch.length + 5, 0])
    expect(await bytesOf(fetchOf([{maxBytes: 1}, {partition: 1, maxBytes: 1}]))).toEqual([batch.length, 0])
    expect(await bytesOf(fetchOf([{offset: 2}, {partition: 1, maxBytes: 1}]))).toEqual([0, batch.length])
    expect(await bytesOf(fetchOf(both))).toEqual([2 * batch.length, batch.length])
  })

  it('waits for as many bytes as it is asked to', async () => {
    const {client, connect, bytesOf, batch} = await filled()
    const waiting = bytesOf(
      fetchOf([{offset: 2}], {minBytes: batch.length + 1, maxWaitMs: 60_000}),
      await connect(),
    )
    let isAnswered = false
    void waiting.then(() => (isAnswered = true))
    await client.request(produce, 7, produceOne(batch))
    await client.request(metadata, 6, {topics: [], mayCreate: false})
    expect(isAnswered).toBe(false)
    await client.request(produce, 7, produceOne(batch))
    expect(await waiting).toEqual([2 * batch.length])
  })

  it('waits no longer than it is asked to', async () => {
    const {bytesOf} = await filled()
    const started = performance.now()
    expect(await bytesOf(fetchOf([{offset: 2}], {maxWaitMs: 200}))).toEqual([0])
    expect(performance.now() - started).toBeGreaterThan(190)
  })

  it('tells of an error at once', async () => {
    const {client} = await filled()
    const positions = [{offset: 2}, {offset: 3}, {partition: 7}, {topic: 'none'}]
    const {topics} = await client.request(
      fetch,
      11,
      fetchOf(positions, {maxWaitMs: 60_000, minBytes: 2 ** 20}),
    )
    expect(topics.map(({partitions}) => partitions[0]!.error)).toEqual([
      0,
      KafkaError.OFFSET_OUT_OF_RANGE,
      KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
      KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
    ])
  })

  it('has no sessions', async () => {
    const {client} = await filled()
    const incremental = {...fetchOf([{}]), sessionEpoch: 1}
    expect((await client.request(fetch, 11, incremental)).error).toBe(KafkaError.FETCH_SESSION_ID_NOT_FOUND)
  })

  it('answers that a topic is gone when it is deleted while it waits', async () => {
    const {client, connect} = await filled()
    const waiter = await connect()
    const waiting = waiter.request(fetch, 11, fetchOf([{offset: 2}], {maxWaitMs: 300}))
    await client.request(administration.deleteTopics, 1, {topics: ['t']})
    expect((await waiting).topics[0]!.partitions[0]!.error).toBe(KafkaError.UNKNOWN_TOPIC_OR_PARTITION)
  })
})

describe('DeleteRecords', () => {
  it('moves the start, never back, and up to the end with -1', async () => {
    const {client} = await connected()
    await makeTopic(client)
    await client.request(produce, 7, produceOne(await makeBatch({values: ['a', 'b', 'c']})))
    const deleteBefore = async (offset: number) =>
      (await client.request(deleteRecords, 1, {topics: [{topic: 't', partitions: [{partition: 0, offset}]}]}))
        .topics[0]!.partitions[0]
    expect(await deleteBefore(2)).toMatchObject({error: 0, startOffset: 2})
    expect(await deleteBefore(1)).toMatchObject({error: 0, startOffset: 2})
    expect(await deleteBefore(4)).toMatchObject({error: KafkaError.OFFSET_OUT_OF_RANGE, startOffset: -1})
    expect(await deleteBefore(-1)).toMatchObject({error: 0, startOffset: 3})
  })
})

describe('CreateTopics', () => {
  it.each<[string, object, keyof typeof KafkaError]>([
    ['a topic that is there', {}, 'TOPIC_ALREADY_EXISTS'],
    ['three replicas', {topic: 'u', replicationFactor: 3}, 'INVALID_REPLICATION_FACTOR'],
    ['a setting that it does not have', {topic: 'u', config: [{name: 'x', value: '1'}]}, 'INVALID_CONFIG'],
    ['partitions elsewhere', {...assigned([{partition: 0, nodes: [7]}])}, 'INVALID_REPLICA_ASSIGNMENT'],
    [
      'partitions and assignments',
      {...assigned([{partition: 0, nodes: [1]}]), partitionCount: 1},
      'INVALID_REQUEST',
    ],
    [
      'what it can do',
      {
        ...assigned([
          {partition: 0, nodes: [1]},
          {partition: 1, nodes: [1]},
        ]),
      },
      'NONE',
    ],
  ])('asked for %s answers by name', async (_, changed, name) => {
    const {client} = await connected()
    await makeTopic(client)
    const wanted = {
      topic: 't',
      partitionCount: 1,
      replicationFactor: 1,
      assignments: [],
      config: [],
      ...changed,
    }
    for (const validateOnly of [true, false]) {
      const {topics} = await client.request(administration.createTopics, 3, {topics: [wanted], validateOnly})
      expect(topics[0]!.error).toBe(KafkaError[name])
    }
  })

  function assigned(assignments: {partition: number; nodes: number[]}[]) {
    return {topic: 'u', partitionCount: -1, replicationFactor: -1, assignments}
  }
})
