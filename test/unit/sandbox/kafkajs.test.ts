import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {
  CompressionTypes,
  ConfigResourceTypes,
  Kafka,
  logLevel,
  type Consumer,
  type EachMessagePayload,
  type Producer,
} from 'kafkajs'
import {afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished} from 'vitest'
import {startSandbox, type Sandbox} from '../../../src/sandbox/index.js'
import {eventually} from '../../support/eventually.js'
import {rememberingLogger} from '../../support/sandbox/temporary.js'

/** kafkajs's own Admin, Producer and Consumer, used as anybody would, on the sandbox. */
let dir: string
let sandbox: Sandbox
let kafka: Kafka
let topic: string
let topics = 0
const {logger, lines: logged} = rememberingLogger()

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'streamtool-sandbox-'))
  sandbox = await startSandbox({dir, kafkaPort: 0, logger: logger})
  kafka = new Kafka({
    clientId: 'kafkajs',
    brokers: [sandbox.bootstrap],
    logLevel: logLevel.NOTHING,
    retry: {retries: 3, initialRetryTime: 50},
  })
})

afterAll(async () => {
  await sandbox.close()
  await rm(dir, {recursive: true, force: true})
})

beforeEach(() => {
  topic = `topic-${++topics}`
})

async function admin() {
  const connected = kafka.admin()
  await connected.connect()
  onTestFinished(() => connected.disconnect())
  return connected
}

async function producer(options: {idempotent?: boolean} = {}): Promise<Producer> {
  const connected = kafka.producer({
    ...options,
    createPartitioner:
      () =>
      ({message}) =>
        message.partition ?? 0,
  })
  await connected.connect()
  onTestFinished(() => connected.disconnect())
  return connected
}

interface Reader {
  readonly consumer: Consumer
  readonly read: EachMessagePayload[]
  readonly assigned: () => readonly number[]
}

async function reader(groupId: string): Promise<Reader> {
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: 6000,
    heartbeatInterval: 100,
    maxWaitTimeInMs: 100,
  })
  onTestFinished(() => consumer.disconnect())
  const read: EachMessagePayload[] = []
  let assigned: readonly number[] = []
  consumer.on(consumer.events.GROUP_JOIN, ({payload}) => {
    assigned = payload.memberAssignment[topic] ?? []
  })
  await consumer.connect()
  await consumer.subscribe({topics: [topic], fromBeginning: true})
  await consumer.run({eachMessage: async (payload) => void read.push(payload)})
  return {consumer, read, assigned: () => assigned}
}

const values = ({read}: Reader) => read.map(({message}) => message.value?.toString())

describe('the Producer', {timeout: 20_000}, () => {
  it.each([CompressionTypes.None, CompressionTypes.GZIP])(
    'sends records that come back whole (compression %i)',
    async (compression) => {
      const sender = await producer()
      const headers = {one: 'a', many: ['b', 'c']}
      const messages = [
        {key: 'k', value: 'first', headers, timestamp: '1700000000000'},
        {key: null, value: null},
        {value: 'x'.repeat(100_000)},
      ]
      expect(await sender.send({topic, messages, compression})).toMatchObject([
        {partition: 0, baseOffset: '0'},
      ])
      const consumer = await reader(`group-${topic}`)
      await eventually('all were read', () => consumer.read.length === 3)
      const [first, tombstone, large] = consumer.read.map(({message}) => message)
      expect(first).toMatchObject({
        key: Buffer.from('k'),
        value: Buffer.from('first'),
        timestamp: '1700000000000',
      })
      expect(first!.headers).toEqual({one: Buffer.from('a'), many: [Buffer.from('b'), Buffer.from('c')]})
      expect(tombstone!.value).toBeNull()
      expect(large!.value).toHaveLength(100_000)
    },
  )

  it('may be idempotent', async () => {
    const sender = await producer({idempotent: true})
    for (let batch = 0; batch < 5; batch++) {
      const [answer] = await sender.send({topic, messages: [{value: 'a'}, {value: 'b'}]})
      expect(answer).toMatchObject({errorCode: 0, baseOffset: String(batch * 2)})
    }
  })

  it('is told that a batch is too large', async () => {
    const sender = await producer()
    const sending = sender.send({topic, messages: [{value: Buffer.alloc(1_048_588)}]})
    await expect(sending).rejects.toMatchObject({type: 'MESSAGE_TOO_LARGE'})
  })

  it('is refused a transaction, and the log says why', async () => {
    const transactional = kafka.producer({transactionalId: 'x', maxInFlightRequests: 1, retry: {retries: 0}})
    await transactional.connect()
    await expect(transactional.transaction()).rejects.toMatchObject({retriable: false})
    await transactional.disconnect()
    expect(logged).toContain('warn: client kafkajs asked for transactions, which the sandbox does not have')
  })
})

describe('the Consumer', {timeout: 20_000}, () => {
  it('shares the partitions with others, takes them over when one leaves, and loses nothing', async () => {
    const administrator = await admin()
    await administrator.createTopics({topics: [{topic, numPartitions: 4}]})
    const sender = await producer()
    const sendToAll = (value: string) =>
      sender.send({
        topic,
        messages: [0, 1, 2, 3].map((partition) => ({partition, value: `${value}${partition}`})),
      })
    const groupId = `group-${topic}`

    const first = await reader(groupId)
    await eventually('the first has all', () => first.assigned().length === 4)
    const second = await reader(groupId)
    await eventually('both have two', () => first.assigned().length === 2 && second.assigned().length === 2)
    await sendToAll('a')
    await eventually('both have read', () => first.read.length === 2 && second.read.length === 2)
    expect([...values(first), ...values(second)].sort()).toEqual(['a0', 'a1', 'a2', 'a3'])

    await first.consumer.disconnect()
    await eventually('the second has all', () => second.assigned().length === 4)
    await sendToAll('b')
    await eventually('all was read', () => second.read.length === 6)
    expect(values(second).slice(2).sort()).toEqual(['b0', 'b1', 'b2', 'b3'])
  })

  it('goes on where its group stood', async () => {
    const sender = await producer()
    await sender.send({topic, messages: [{value: 'a'}, {value: 'b'}]})
    const groupId = `group-${topic}`
    const first = await reader(groupId)
    await eventually('both were read', () => first.read.length === 2)
    await first.consumer.disconnect()
    await sender.send({topic, messages: [{value: 'c'}]})
    const second = await reader(groupId)
    await eventually('the new one was read', () => second.read.length > 0)
    expect(values(second)).toEqual(['c'])
  })
})

describe('the Admin', {timeout: 20_000}, () => {
  it('makes, lists, describes, extends and deletes topics', async () => {
    const administrator = await admin()
    const wanted = {topic, numPartitions: 2, configEntries: [{name: 'max.message.bytes', value: '2000000'}]}
    expect(await administrator.createTopics({topics: [wanted]})).toBe(true)
    expect(await administrator.createTopics({topics: [wanted]})).toBe(false)
    expect(await administrator.listTopics()).toContain(topic)
    await administrator.createPartitions({topicPartitions: [{topic, count: 3}]})
    const {topics: described} = await administrator.fetchTopicMetadata({topics: [topic]})
    expect(described[0]!.partitions).toHaveLength(3)
    const resource = {type: ConfigResourceTypes.TOPIC, name: topic}
    const limit = async () => {
      const {resources} = await administrator.describeConfigs({resources: [resource], includeSynonyms: false})
      return resources[0]!.configEntries.find(({configName}) => configName === 'max.message.bytes')
        ?.configValue
    }
    expect(await limit()).toBe('2000000')
    const configEntries = [{name: 'max.message.bytes', value: '3000000'}]
    await administrator.alterConfigs({resources: [{...resource, configEntries}], validateOnly: false})
    expect(await limit()).toBe('3000000')
    await administrator.deleteTopics({topics: [topic]})
    expect(await administrator.listTopics()).not.toContain(topic)
    expect(await administrator.describeCluster()).toMatchObject({controller: 1, brokers: [{nodeId: 1}]})
  })

  it('asks where a topic begins and ends, and deletes what is before an offset', async () => {
    const administrator = await admin()
    await administrator.createTopics({topics: [{topic, numPartitions: 1}]})
    const sender = await producer()
    const at = (timestamp: string) => ({value: 'x', timestamp})
    await sender.send({topic, messages: [at('1000'), at('2000'), at('3000')]})
    expect(await administrator.fetchTopicOffsets(topic)).toMatchObject([{low: '0', high: '3'}])
    expect(await administrator.fetchTopicOffsetsByTimestamp(topic, 2000)).toEqual([
      {partition: 0, offset: '1'},
    ])
    await administrator.deleteTopicRecords({topic, partitions: [{partition: 0, offset: '2'}]})
    expect(await administrator.fetchTopicOffsets(topic)).toMatchObject([{low: '2', high: '3'}])
  })

  it('looks at groups, moves them while they are idle, and deletes them', async () => {
    const administrator = await admin()
    await (await producer()).send({topic, messages: [{value: 'a'}, {value: 'b'}]})
    const groupId = `group-${topic}`
    const {consumer, read} = await reader(groupId)
    await eventually('both were read', () => read.length === 2)
    expect(await administrator.describeGroups([groupId])).toMatchObject({
      groups: [{groupId, state: 'Stable', protocolType: 'consumer', members: [{clientId: 'kafkajs'}]}],
    })
    const moving = administrator.setOffsets({groupId, topic, partitions: [{partition: 0, offset: '1'}]})
    await expect(moving).rejects.toThrow(/must have no running instances/)
    await consumer.disconnect()

    await administrator.setOffsets({groupId, topic, partitions: [{partition: 0, offset: '1'}]})
    const [fetched] = await administrator.fetchOffsets({groupId, topics: [topic]})
    expect(fetched!.partitions.find(({partition}) => partition === 0)).toMatchObject({offset: '1'})
    expect((await administrator.listGroups()).groups).toContainEqual({groupId, protocolType: 'consumer'})
    await administrator.deleteGroups([groupId])
    expect((await administrator.listGroups()).groups.map((group) => group.groupId)).not.toContain(groupId)
  })
})
