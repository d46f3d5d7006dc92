import {afterEach, describe, expect, it} from 'vitest'
import {createAdmin} from '../../../../src/adapters/kafka/admin.js'
import {BytesReader, BytesWriter} from '../../../../src/adapters/kafka/bytes.js'
import {createCluster} from '../../../../src/adapters/kafka/transport/cluster.js'
import {keepingLogger, settingsFor} from '../../../support/kafka-settings.js'
import {
  api,
  metadataAnswer,
  readMetadataRequest,
  startScriptedBroker,
} from '../../../support/scripted-broker.js'
import type {Answerer, ScriptedBroker, ScriptedTopic} from '../../../support/scripted-broker.js'

/** What the contract suite cannot bring about on a real broker. */
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const int64 = (value: number) =>
  new BytesWriter()
    .int32(Math.floor(value / 2 ** 32))
    .int32(value | 0)
    .finish()
const turnOf = <T>(turn: number, ...values: T[]): T => values[Math.min(turn, values.length - 1)]!

async function setUp(
  answerers: Readonly<Record<number, Answerer>>,
  topics: (turn: number) => readonly ScriptedTopic[] = () => [{topic: 't', leaders: [1, 1]}],
) {
  const nodes: ScriptedBroker[] = []
  const node = await startScriptedBroker({
    [api.metadata]: ({body, turn}) => {
      const asked = readMetadataRequest(body).topics ?? []
      return metadataAnswer(
        nodes.map(({host, port}) => ({nodeId: 1, host, port})),
        topics(turn).filter(({topic}) => asked.includes(topic)),
      )
    },
    [api.findCoordinator]: () =>
      new BytesWriter().int32(0).int16(0).int16(-1).int32(1).string(node.host).int32(node.port).finish(),
    ...answerers,
  })
  nodes.push(node)
  cleanups.push(() => node.close())
  const admin = createAdmin(createCluster(settingsFor([node.address]), keepingLogger()))
  cleanups.push(() => admin.close())
  const requests = (key: number) => node.requests.filter(({apiKey}) => apiKey === key)
  return {node, admin, requests}
}

/** DescribeConfigs, version 2. */
const configAnswer = (errorCode: number, value?: string) => {
  const writer = new BytesWriter().int32(0).int32(1).int16(errorCode).int16(-1).int8(2).string('t')
  if (value === undefined) return writer.int32(0).finish()
  return writer.int32(1).string('max.message.bytes').string(value).int8(0).int8(1).int8(0).int32(0).finish()
}

const describedGroup = (errorCode: number, members: readonly (string | null)[] = []) => {
  const writer = new BytesWriter()
    .int32(0)
    .int32(1)
    .int16(errorCode)
    .string('g')
    .string('Stable')
    .string('consumer')
    .string('p')
  return writer
    .array(members, (each, instanceId) => {
      each.string('member')
      if (instanceId === null) each.int16(-1)
      else each.string(instanceId)
      return each.string('client').string('/10.0.0.7').bytes(Buffer.from('m')).bytes(Buffer.from('a'))
    })
    .int32(0)
    .finish()
}

const committed = (errorCode: number) =>
  new BytesWriter().int32(0).int32(1).string('t').int32(1).int32(0).int16(errorCode).finish()

describe('describeTopic', () => {
  it('tells what the topic takes', async () => {
    const {admin} = await setUp({[api.describeConfigs]: () => configAnswer(0, '123456')})
    expect(await admin.describeTopic('t')).toEqual({
      topic: 't',
      clusterId: 'scripted-cluster',
      partitionCount: 2,
      maxMessageBytes: 123_456,
    })
  })

  it.each([
    ['this user may not ask', configAnswer(29)],
    ['nobody may ask', configAnswer(31)],
    ['the broker does not say', configAnswer(0)],
    ['the broker says nonsense', configAnswer(0, 'much')],
  ])('leaves max.message.bytes open when %s', async (_, answer) => {
    const {admin} = await setUp({[api.describeConfigs]: () => answer})
    expect((await admin.describeTopic('t')).maxMessageBytes).toBeNull()
  })

  it('says so when this user may not see the topic', async () => {
    const {admin} = await setUp({}, () => [{topic: 't', errorCode: 29}])
    await expect(admin.describeTopic('t')).rejects.toMatchObject({
      code: 'NOT_AUTHORISED',
      facts: {topic: 't'},
    })
  })

  it('waits until every partition has a leader', async () => {
    const {admin} = await setUp({[api.describeConfigs]: () => configAnswer(0)}, (turn) => [
      turnOf(turn, {topic: 't', leaders: [1, -1]}, {topic: 't', leaders: [1, 1]}),
    ])
    expect((await admin.describeTopic('t')).partitionCount).toBe(2)
  })

  it('asks to create a topic only when it may', async () => {
    let exists = false
    const {admin, requests} = await setUp({[api.describeConfigs]: () => configAnswer(0)}, () => [
      exists ? {topic: 't', leaders: [1]} : {topic: 't', errorCode: 3},
    ])
    const asksToCreate = () => requests(api.metadata).filter(({body}) => readMetadataRequest(body).mayCreate)
    await expect(admin.describeTopic('t')).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
    expect(asksToCreate()).toHaveLength(0)
    setTimeout(() => (exists = true), 150)
    await admin.describeTopic('t', {mayCreate: true})
    expect(asksToCreate().length).toBeGreaterThan(0)
  })
})

describe('partitionRanges', () => {
  /** ListOffsets, version 3: 10 for the earliest, 20 for the latest, of each partition that is asked for. */
  const offsets =
    (errorOf: (turn: number) => number): Answerer =>
    ({body, turn}) => {
      const reader = new BytesReader(body)
      reader.int32()
      expect(reader.int8()).toBe(1) // read committed
      const [{topic, partitions}] = reader.array((each) => ({
        topic: each.string(),
        partitions: each.array((inner) => ({partition: inner.int32(), timestamp: inner.safeInt64()})),
      })) as [{topic: string; partitions: {partition: number; timestamp: number}[]}]
      const answers = partitions.map(({partition, timestamp}) =>
        Buffer.concat([
          new BytesWriter().int32(partition).int16(errorOf(turn)).finish(),
          int64(0),
          int64(timestamp === -2 ? 10 : 2 ** 33 + 20),
        ]),
      )
      return Buffer.concat([
        new BytesWriter().int32(0).int32(1).string(topic).int32(answers.length).finish(),
        ...answers,
      ])
    }

  it('asks for the last stable offset', async () => {
    const {admin} = await setUp({[api.listOffsets]: offsets(() => 0)})
    expect(await admin.partitionRanges('t')).toEqual(
      [0, 1].map((partition) => ({topic: 't', partition, start: 10, end: 2 ** 33 + 20})),
    )
  })

  it('asks again when a leader has just moved', async () => {
    const {admin, requests} = await setUp({[api.listOffsets]: offsets((turn) => (turn < 2 ? 6 : 0))})
    expect(await admin.partitionRanges('t')).toHaveLength(2)
    expect(requests(api.metadata).length).toBeGreaterThan(1)
  })
})

describe('groups', () => {
  it('tell the instance ids of their static members', async () => {
    const {admin} = await setUp({[api.describeGroups]: () => describedGroup(0, ['host-1', null])})
    expect(await admin.groupMembers('g')).toEqual([
      {memberId: 'member', instanceId: 'host-1', clientId: 'client', host: '10.0.0.7'},
      {memberId: 'member', instanceId: null, clientId: 'client', host: '10.0.0.7'},
    ])
  })

  it('that were never there have no members', async () => {
    const {admin} = await setUp({[api.describeGroups]: () => describedGroup(69)})
    expect(await admin.groupMembers('g')).toEqual([])
  })

  it('are asked for again while their coordinator is loading', async () => {
    const {admin, requests} = await setUp({
      [api.describeGroups]: ({turn}) => describedGroup(turnOf(turn, 14, 16, 0)),
    })
    expect(await admin.groupMembers('g')).toEqual([])
    expect(requests(api.findCoordinator)).toHaveLength(3)
  })

  it('are not moved while they have members, who are named', async () => {
    const {admin, requests} = await setUp({[api.describeGroups]: () => describedGroup(0, ['host-1', null])})
    await expect(
      admin.resetOffsets('g', [{topic: 't', partition: 0, offset: 1, metadata: ''}]),
    ).rejects.toMatchObject({
      code: 'GROUP_BUSY',
      message: 'group g cannot be moved: it has 2 members: host-1 on 10.0.0.7, client on 10.0.0.7',
    })
    expect(requests(api.offsetCommit)).toEqual([])
  })

  it.each([25, 22])('are not moved when a member joins in between (code %d)', async (code) => {
    const {admin} = await setUp({
      [api.describeGroups]: () => describedGroup(0),
      [api.offsetCommit]: () => committed(code),
    })
    await expect(
      admin.resetOffsets('g', [{topic: 't', partition: 0, offset: 1, metadata: ''}]),
    ).rejects.toMatchObject({
      code: 'GROUP_BUSY',
    })
  })

  it('say so when this user may not commit', async () => {
    const {admin} = await setUp({
      [api.describeGroups]: () => describedGroup(0),
      [api.offsetCommit]: () => committed(30),
    })
    await expect(
      admin.resetOffsets('g', [{topic: 't', partition: 0, offset: 1, metadata: ''}]),
    ).rejects.toMatchObject({
      code: 'NOT_AUTHORISED',
      facts: {groupId: 'g'},
    })
  })
})

describe('createTopic', () => {
  const created = (errorCode: number) =>
    new BytesWriter().int32(0).int32(1).string('t').int16(errorCode).int16(-1).finish()

  it('is content with a topic that is there, and resolves when it can be written to', async () => {
    const {admin, requests} = await setUp({[api.createTopics]: () => created(36)}, (turn) => [
      turnOf(
        turn,
        {topic: 't', errorCode: 3},
        {topic: 't', errorCode: 3},
        {topic: 't', leaders: [-1]},
        {topic: 't', leaders: [1]},
      ),
    ])
    await admin.createTopic('t', {partitions: 1})
    expect(requests(api.metadata).length).toBeGreaterThanOrEqual(4)
  })

  it('asks again when the controller has moved', async () => {
    const {admin, requests} = await setUp({[api.createTopics]: ({turn}) => created(turnOf(turn, 41, 0))})
    await admin.createTopic('t', {partitions: 2})
    expect(requests(api.createTopics)).toHaveLength(2)
  })

  it.each([
    [29, 'NOT_AUTHORISED'],
    [31, 'NOT_AUTHORISED'],
    [17, 'TOPIC_UNKNOWN'],
    [37, 'BROKER_REFUSED'],
    [44, 'BROKER_REFUSED'],
  ])('says why it was refused (code %d)', async (code, expected) => {
    const {admin} = await setUp({[api.createTopics]: () => created(code)})
    await expect(admin.createTopic('t', {partitions: 0})).rejects.toMatchObject({
      code: expected,
      facts: {topic: 't'},
    })
  })
})
