/** What the group session and the fetch loop promise beyond the port's contract, on a broker that suffers. */
import {spawn} from 'node:child_process'
import {createInterface} from 'node:readline'
import {setTimeout as sleep} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import {Kafka, logLevel, type PartitionAssigner} from 'kafkajs'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {ASSIGNOR_NAME} from '../../src/adapters/kafka/group/assignor.js'
import {encodeAssignment, encodeSubscription} from '../../src/adapters/kafka/group/member-protocol.js'
import type {KafkaSettings} from '../../src/adapters/kafka/index.js'
import {createKafkaClient} from '../../src/adapters/kafka/index.js'
import {newTopic, numbered, sendTexts, textsOf, uniqueName} from '../contract/kafka/backend.js'
import type {KafkaBackend} from '../contract/kafka/backend.js'
import {Member} from '../contract/kafka/member.js'
import {startCuttingProxy} from '../support/cutting-proxy.js'
import {silentLogger} from '../support/delivery.js'
import {deferred, eventually} from '../support/eventually.js'
import type {MemberNews} from '../support/group-member.js'
import {kafkaLevers} from '../support/kafka-levers.js'
import {diesWithUs} from '../support/processes.js'
import {startRealKafka, type RealKafka} from '../support/real-kafka.js'

let kafka: RealKafka
const backends: KafkaBackend[] = []

beforeAll(async () => {
  kafka = await startRealKafka()
})
afterAll(async () => {
  for (const made of backends) await made.close()
  await kafka.close()
})

/** The clients of one test. */
function backend(bootstrap = kafka.bootstrap, settings: Partial<KafkaSettings> = {}): KafkaBackend {
  const client = createKafkaClient(
    {brokers: [bootstrap], clientId: 'adapter-test', ...settings},
    {logger: silentLogger},
  )
  const made: KafkaBackend = {
    admin: client.admin(),
    producer: client.producer(),
    reader: client.reader(),
    groupConsumer: (options) => client.groupConsumer(options),
    timing: {sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000, heartbeatMs: 100},
    levers: {addPartitions: null, trimLog: null, appendAborted: null, expireMember: null, restart: null},
    close: () => client.close(),
  }
  backends.push(made)
  return made
}

describe('a wire that is cut again and again', () => {
  it('costs neither a record nor a rebalance', async () => {
    const proxy = await startCuttingProxy(kafka.bootstrap)
    const direct = backend()
    const topic = await newTopic(direct, 3)
    const member = Member.start(backend(proxy.bootstrap), {topics: [topic], sessionTimeoutMs: 30_000})
    try {
      await member.untilAssigned([0, 1, 2])
      const ends = [0, 0, 0]
      for (let round = 0; round < 60; round++) {
        for (const partition of [0, 1, 2]) {
          await sendTexts(direct, {topic, partition}, numbered(`p${partition}`, 5, round * 5))
          ends[partition]! += 5
        }
        if (round % 5 === 4) proxy.cut(round % 2 === 0 ? 'end' : 'reset')
        await sleep(30)
      }
      await Promise.all([0, 1, 2].map((partition) => member.untilRead(partition, ends[partition]!)))
      for (const partition of [0, 1, 2]) {
        expect(textsOf(member.recordsOf(partition))).toEqual(numbered(`p${partition}`, 300))
      }
      expect(member.assignments).toHaveLength(1)
      await member.epoch.commit([{topic, partition: 0, offset: 300, metadata: 'still a member'}])
    } finally {
      await member.stopAnyhow()
      await proxy.close()
    }
  })
})

describe('a static member that is killed', () => {
  it('comes back to its partitions at once, where its commits stand, and nobody else notices', async () => {
    const direct = backend()
    const topic = await newTopic(direct, 2)
    const groupId = uniqueName('group')
    const observer = Member.start(direct, {
      topics: [topic],
      groupId,
      instanceId: 'observer',
      sessionTimeoutMs: 45_000,
    })
    const victim = startProcess(topic, groupId, 'victim')
    const partition = await eventuallyValue('the victim has a partition', () => {
      const assigned = victim.news.findLast((news) => news.event === 'assigned')
      return assigned?.event === 'assigned' && assigned.partitions.length === 1
        ? assigned.partitions[0]
        : undefined
    })
    await observer.untilAssigned([1 - partition])
    const {generation} = observer.epoch
    await sendTexts(direct, {topic, partition}, numbered('before', 10))
    await eventually('the victim has read', () => victim.offsets(partition).length === 10)
    victim.child.kill('SIGKILL')
    await sendTexts(direct, {topic, partition}, numbered('meanwhile', 10))

    const successor = startProcess(topic, groupId, 'victim')
    await eventually('its successor has read on', () => successor.offsets(partition).length === 10)
    expect(successor.news[0]).toEqual({
      event: 'assigned',
      generation,
      partitions: [partition],
      committed: [10],
    })
    expect(successor.offsets(partition)).toEqual(Array.from({length: 10}, (_, i) => 10 + i))
    successor.child.kill('SIGTERM')
    await eventually('it has stopped', () => successor.child.exitCode === 0)
    expect(successor.news.at(-1)).toEqual({event: 'revoked', reason: 'stopping'})
    await observer.stop()
    expect(observer.assignments.filter(({epoch}) => epoch.generation >= generation)).toHaveLength(1)
  })

  it('regroups when its topic gains partitions, although a restarted leader is not told that it leads', async () => {
    const direct = backend()
    const topic = await newTopic(direct, 1)
    const hall = {
      topics: [topic],
      groupId: uniqueName('group'),
      instanceId: 'hall',
      leaveOnStop: false,
      sessionTimeoutMs: 30_000,
    }
    const before = Member.start(direct, hall)
    await before.untilAssigned([0])
    const {generation} = before.epoch
    await before.stop()
    const after = Member.start(direct, hall)
    await after.untilAssigned([0])
    expect(after.epoch.generation).toBe(generation)
    await kafkaLevers(kafka.bootstrap).addPartitions(topic, 3)
    await after.untilAssigned([0, 1, 2])
    expect(after.revocations).toMatchObject([{reason: 'rebalance'}])
    await after.stop()
  })
})

describe('a member that waits for the rest of the group', () => {
  it('stops at once when told to, and leaves the others to themselves', async () => {
    const direct = backend()
    const topic = await newTopic(direct, 2)
    const groupId = uniqueName('group')
    const draining = deferred()
    const first = Member.start(
      direct,
      {topics: [topic], groupId, rebalanceTimeoutMs: 30_000},
      {revoked: (_epoch, reason) => (reason === 'rebalance' ? draining.promise : Promise.resolve())},
    )
    await first.untilAssigned([0, 1])
    const parked = Member.start(direct, {topics: [topic], groupId, rebalanceTimeoutMs: 30_000})
    try {
      await first.until('it gives its partitions up', () => first.revocations.length === 1)
      await sleep(300)
      const told = performance.now()
      await parked.stop()
      expect(performance.now() - told).toBeLessThan(15_000)
      expect(parked.events).toEqual([])
      draining.resolve()
      await first.untilAssigned([0, 1])
      expect(await direct.admin.groupMembers(groupId)).toHaveLength(1)
    } finally {
      draining.resolve()
      await parked.stopAnyhow()
      await first.stop()
    }
  })

  it('waits for a member that drains for too long no longer than the rebalance timeout', async () => {
    const direct = backend()
    const topic = await newTopic(direct, 2)
    const groupId = uniqueName('group')
    const timing = {topics: [topic], groupId, rebalanceTimeoutMs: 8_000, sessionTimeoutMs: 30_000}
    const draining = deferred()
    let overAt = 0
    const slow = Member.start(direct, timing, {
      revoked: (epoch, reason) => {
        epoch.signal.addEventListener('abort', () => (overAt ||= performance.now()))
        return reason === 'rebalance' && slow.revocations.length === 1 ? draining.promise : Promise.resolve()
      },
    })
    await slow.untilAssigned([0, 1])
    const other = Member.start(direct, timing)
    try {
      await other.until('the other has its share', () => other.partitions?.length === 1)
      expect(overAt).toBeGreaterThan(0)
      await sleep(500)
      expect(slow.assignments).toHaveLength(1)
      draining.resolve()
      await slow.until('it goes on with what it was given', () => slow.assignments.length === 2)
      expect(slow.partitions).toHaveLength(1)
      expect(other.revocations).toEqual([])
    } finally {
      draining.resolve()
      await slow.stopAnyhow()
      await other.stop()
    }
  })
})

describe('other programs in the group', () => {
  const theirs = () => new Kafka({brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING})

  it('make it incompatible when they speak another protocol', async () => {
    const direct = backend()
    const topic = await newTopic(direct)
    const groupId = uniqueName('group')
    const stranger = theirs().consumer({groupId})
    await stranger.connect()
    await stranger.subscribe({topics: [topic]})
    const joined = new Promise((resolve) => stranger.on(stranger.events.GROUP_JOIN, resolve))
    await stranger.run({eachMessage: async () => undefined})
    await joined
    const member = Member.start(direct, {topics: [topic], groupId})
    await expect(member.run).rejects.toMatchObject({code: 'GROUP_INCOMPATIBLE', facts: {groupId}})
    await stranger.disconnect()
  })

  it('are told of when they lead and assign a topic that was not asked for', async () => {
    const direct = backend()
    const topic = await newTopic(direct)
    const foreign = await newTopic(direct)
    const groupId = uniqueName('group')
    const careless: PartitionAssigner = () => ({
      name: ASSIGNOR_NAME,
      version: 1,
      assign: async ({members}) =>
        members.map(({memberId}) => ({
          memberId,
          memberAssignment: encodeAssignment({
            partitions: [{topic: foreign, partition: 0}],
            counts: new Map(),
            asked: null,
            inForce: null,
          }),
        })),
      protocol: () => ({
        name: ASSIGNOR_NAME,
        metadata: encodeSubscription({topics: [foreign], owned: [], generation: -1, assignment: null}),
      }),
    })
    const stranger = theirs().consumer({groupId, partitionAssigners: [careless], heartbeatInterval: 200})
    await stranger.connect()
    await stranger.subscribe({topics: [foreign]})
    const joined = new Promise((resolve) => stranger.on(stranger.events.GROUP_JOIN, resolve))
    await stranger.run({eachMessage: async () => undefined})
    await joined
    const member = Member.start(direct, {topics: [topic], groupId})
    await expect(member.run).rejects.toMatchObject({
      code: 'ASSIGNED_FOREIGN_TOPIC',
      facts: {groupId, topic: foreign},
    })
    expect(member.events).toEqual([])
    await stranger.disconnect()
  })
})

describe('batches of any size', () => {
  it('are read, also those that are larger than what is asked for at once', async () => {
    const direct = backend()
    const topic = await newTopic(direct, 3, {'max.message.bytes': String(40 * 1024 * 1024)})
    const large = Buffer.alloc(20 * 1024 * 1024, 'large')
    const send = (partition: number, value: Buffer) =>
      direct.producer.send({topic, partition, records: [{key: null, value: [value], headers: []}]})
    for (let i = 0; i < 40; i++) await send(0, Buffer.alloc(512 * 1024, i))
    await send(1, large)
    await send(1, Buffer.from('after'))
    await send(2, large)
    const lengths = new Map<number, number[]>([0, 1, 2].map((partition) => [partition, []]))
    const member = Member.start(
      direct,
      {topics: [topic]},
      {
        records: ({partition, records}) =>
          void lengths.get(partition)!.push(...records.map(({value}) => value!.length)),
      },
    )
    await Promise.all([member.untilRead(0, 40), member.untilRead(1, 2), member.untilRead(2, 1)])
    expect(lengths.get(1)).toEqual([large.length, 5])
    expect(lengths.get(2)).toEqual([large.length])
    await member.stop()
  })
})

describe('a broker that crashes', () => {
  it('is waited for within the session: the epoch goes on, without a gap', async () => {
    const direct = backend()
    const topic = await newTopic(direct)
    const member = Member.start(direct, {topics: [topic], sessionTimeoutMs: 180_000})
    await sendTexts(direct, {topic, partition: 0}, numbered('record', 10))
    await member.untilRead(0, 10)
    await kafka.killHard()
    await sleep(1_000)
    await kafka.start()
    await sendTexts(direct, {topic, partition: 0}, numbered('record', 10, 10))
    await member.untilRead(0, 20)
    expect(textsOf(member.recordsOf(0))).toEqual(numbered('record', 20))
    await member.epoch.commit([{topic, partition: 0, offset: 20, metadata: ''}])
    expect(member.assignments).toHaveLength(1)
    await member.stop()
  })

  it('is waited for beyond the session: the partitions are lost, and read on from the commit later', async () => {
    const direct = backend()
    const topic = await newTopic(direct)
    const member = Member.start(direct, {topics: [topic], instanceId: 'patient'})
    await sendTexts(direct, {topic, partition: 0}, numbered('record', 10))
    await member.untilRead(0, 10)
    const {epoch} = member
    await epoch.commit([{topic, partition: 0, offset: 7, metadata: ''}])
    await kafka.killHard()
    await expect(epoch.commit([{topic, partition: 0, offset: 10, metadata: ''}])).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
    })
    await member.until('the partitions are lost', () => member.revocations.length === 1)
    expect(member.revocations).toMatchObject([{reason: 'lost'}])
    expect(epoch.signal.aborted).toBe(true)
    await expect(epoch.commit([{topic, partition: 0, offset: 10, metadata: ''}])).rejects.toMatchObject({
      code: 'GROUP_STALE',
    })
    await kafka.start()
    await member.until('they are back', () => member.assignments.length === 2)
    await sendTexts(direct, {topic, partition: 0}, numbered('record', 5, 10))
    await member.untilRead(0, 18)
    expect(member.offsetsOf(0).slice(10)).toEqual([7, 8, 9, 10, 11, 12, 13, 14])
    await member.stop()
  })

  it('is given up when it stays away for longer than is tolerated', async () => {
    const direct = backend()
    const topic = await newTopic(direct)
    const impatient = backend(kafka.bootstrap, {outageToleranceMs: 2_000})
    const member = Member.start(impatient, {topics: [topic]})
    await member.untilAssigned([0])
    await kafka.killHard()
    await expect(member.run).rejects.toMatchObject({code: 'BROKER_UNREACHABLE', exitCode: 3})
    await kafka.start()
  })
})

const MEMBER_PROGRAM = fileURLToPath(new URL('../support/group-member.ts', import.meta.url))

function startProcess(topic: string, groupId: string, instanceId: string) {
  const args = ['--import', 'tsx', MEMBER_PROGRAM, kafka.bootstrap, topic, groupId, instanceId]
  const child = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'inherit']})
  diesWithUs(child)
  const news: MemberNews[] = []
  createInterface({input: child.stdout}).on('line', (line) => news.push(JSON.parse(line) as MemberNews))
  const offsets = (partition: number) =>
    news.flatMap((each) => (each.event === 'read' && each.partition === partition ? each.offsets : []))
  return {child, news, offsets}
}

async function eventuallyValue<T>(what: string, look: () => T | undefined): Promise<T> {
  await eventually(what, () => look() !== undefined)
  return look()!
}
