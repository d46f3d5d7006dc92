import {existsSync} from 'node:fs'
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import {ClusterIdentity} from '../../../../../src/sandbox/broker/log/cluster-identity.js'
import {checkTopicConfig, maxMessageBytes} from '../../../../../src/sandbox/broker/log/topic-config.js'
import {Topics} from '../../../../../src/sandbox/broker/log/topics.js'
import {KafkaError} from '../../../../../src/sandbox/broker/protocol/errors.js'
import {makeBatch} from '../../../../support/sandbox/kafkajs-internals.js'
import {rememberingLogger, temporaryDirectory} from '../../../../support/sandbox/temporary.js'

const refusal = (name: keyof typeof KafkaError) =>
  expect.objectContaining({code: KafkaError[name]}) as unknown
const LIMITS = {maxMessageBytes: 1_000_000, latestTimestampMs: Number.POSITIVE_INFINITY}
const plan = (topic: string, partitionCount = -1) => ({topic, partitionCount, config: {}})

async function openTopics(dir?: string): Promise<{dir: string; topics: Topics}> {
  const directory = dir ?? (await temporaryDirectory())
  const topics = new Topics(directory, {defaultPartitions: 4, logger: rememberingLogger().logger})
  onTestFinished(() => topics.close())
  return {dir: directory, topics}
}

describe('Topics', () => {
  it('come back as they were left: partitions, settings, records, deleted beginnings', async () => {
    const {dir, topics} = await openTopics()
    topics.create(plan('a'))
    const topic = topics.create({...plan('b', 2), config: {'max.message.bytes': '99'}})
    topics.grow('b', 3, {validateOnly: false})
    topic.partition(2).append(await makeBatch({values: ['x', 'y']}), LIMITS)
    expect(topic.deleteBefore(2, 1)).toBe(1)
    topics.close()

    const reopened = (await openTopics(dir)).topics
    expect(reopened.names().sort()).toEqual(['a', 'b'])
    expect(reopened.get('a').partitionCount).toBe(4)
    const back = reopened.get('b')
    expect([back.partitionCount, maxMessageBytes(back.config)]).toEqual([3, 99])
    expect([back.partition(2).startOffset, back.partition(2).endOffset]).toEqual([1, 2])
  })

  it('are gone when they are deleted, and can be made anew, empty', async () => {
    const {dir, topics} = await openTopics()
    topics
      .create(plan('t', 1))
      .partition(0)
      .append(await makeBatch({values: ['x']}), LIMITS)
    topics.delete('t')
    expect(existsSync(join(dir, 'topics', 't'))).toBe(false)
    expect(existsSync(join(dir, 'trash'))).toBe(false)
    expect(() => topics.get('t')).toThrow(refusal('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(topics.create(plan('t', 1)).partition(0).endOffset).toBe(0)
  })

  it('leave nothing of a creation or deletion that a crash interrupted', async () => {
    const {dir} = await openTopics()
    await mkdir(join(dir, 'topics', 'half-made'))
    await writeFile(join(dir, 'topics', 'half-made', '0.log'), '')
    await mkdir(join(dir, 'trash', 'half-deleted'), {recursive: true})
    expect((await openTopics(dir)).topics.names()).toEqual([])
    expect(existsSync(join(dir, 'topics', 'half-made'))).toBe(false)
    expect(existsSync(join(dir, 'trash'))).toBe(false)
  })

  it.each(['', '.', '..', 'a/b', 'a\\b', 'ä', 'a b', 'a\0', 'x'.repeat(250)])(
    'may not be called %j',
    async (name) => {
      const {topics} = await openTopics()
      expect(() => topics.create(plan(name))).toThrow(refusal('INVALID_TOPIC'))
    },
  )

  it.each([0, -2, 1001, 2 ** 31 - 1])('may not have %d partitions', async (count) => {
    const {topics} = await openTopics()
    expect(() => topics.create(plan('t', count))).toThrow(refusal('INVALID_PARTITIONS'))
  })

  it('may only grow', async () => {
    const {topics} = await openTopics()
    topics.create(plan('t', 2))
    for (const count of [-1, 1, 2, 1001]) {
      expect(() => topics.grow('t', count, {validateOnly: false})).toThrow(refusal('INVALID_PARTITIONS'))
    }
    topics.grow('t', 3, {validateOnly: true})
    expect(topics.get('t').partitionCount).toBe(2)
    expect(() => topics.create(plan('t'))).toThrow(refusal('TOPIC_ALREADY_EXISTS'))
  })
})

describe('topic settings', () => {
  it.each([
    ['cleanup.policy', 'compact'],
    ['max.message.bytes', '-1'],
    ['max.message.bytes', null],
    ['no.such.setting', '1'],
    ['constructor', '1'],
  ])('refuse %s=%s', (name, value) => {
    expect(() => checkTopicConfig([{name, value}])).toThrow(refusal('INVALID_CONFIG'))
  })

  it('accept what is true here, or does no harm', () => {
    const given = {'cleanup.policy': 'delete', 'retention.ms': '-1', 'max.message.bytes': '2097152'}
    const entries = Object.entries(given).map(([name, value]) => ({name, value}))
    expect(checkTopicConfig(entries)).toEqual(given)
    expect(maxMessageBytes(given)).toBe(2_097_152)
    expect(maxMessageBytes({})).toBe(1_048_588)
  })
})

describe('ClusterIdentity', () => {
  it('keeps the cluster id, and never gives a producer id twice', async () => {
    const dir = await temporaryDirectory()
    const first = new ClusterIdentity(dir)
    const taken = Array.from({length: 1001}, () => first.takeProducerId())
    const second = new ClusterIdentity(dir)
    expect(second.clusterId).toBe(first.clusterId)
    expect(second.clusterId).toMatch(/^[\w-]{22}$/)
    expect(new Set([...taken, second.takeProducerId(), second.takeProducerId()]).size).toBe(1003)
  })

  it('refuses a file that is something else', async () => {
    const dir = await temporaryDirectory()
    await writeFile(join(dir, 'cluster.json'), '{"clusterId":1}')
    expect(() => new ClusterIdentity(dir)).toThrow(/cluster.json is not what the sandbox writes/)
  })
})
