/** What reading ranges promises beyond the port's contract. */
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {createKafkaClient} from '../../../../src/adapters/kafka/index.js'
import {createReader} from '../../../../src/adapters/kafka/reader.js'
import {startSandbox} from '../../../../src/sandbox/index.js'
import {startCuttingProxy} from '../../../support/cutting-proxy.js'
import {silentLogger} from '../../../support/delivery.js'
import {eventually} from '../../../support/eventually.js'
import {hastyClock} from './clocks.js'
import {ScriptedCluster, TOPIC} from './fetch/scripted-cluster.js'

const numbered = (from: number, to: number) => Array.from({length: to - from}, (_, i) => `record ${from + i}`)

/** Fetches of 1000 bytes. */
function read(cluster: ScriptedCluster, start: number, end: number, onCall: () => void = () => undefined) {
  const {asCluster} = cluster
  const settings = {brokers: [], clientId: 'test'}
  const reader = createReader(asCluster, asCluster, settings, silentLogger, {
    clock: hastyClock,
    fetchBytes: 1000,
  })
  const texts: string[] = []
  const positions: number[] = []
  const range = {topic: TOPIC, partition: 0, start, end}
  const reading = reader.read(range, async (records, nextOffset) => {
    texts.push(...records.map(({value}) => value!.toString()))
    positions.push(nextOffset)
    onCall()
  })
  return reading.then(() => ({texts, positions}))
}

describe('reading a range', () => {
  it('fetches nothing that begins at its end or behind it', async () => {
    const cluster = new ScriptedCluster(1)
    for (let from = 0; from < 100; from += 10) cluster.append(0, numbered(from, from + 10))
    expect((await read(cluster, 12, 40)).texts).toEqual(numbered(12, 40))
    const asked = cluster.fetches.flatMap(({partitions}) => partitions.map(({offset}) => offset))
    expect(asked[0]).toBe(12)
    expect(Math.max(...asked)).toBeLessThan(40)
  })

  it('passes a tail that compaction has emptied', async () => {
    const cluster = new ScriptedCluster(1)
    cluster.append(0, numbered(0, 3))
    cluster.appendEmptied(0, 20)
    const {texts, positions} = await read(cluster, 0, 23)
    expect(texts).toEqual(numbered(0, 3))
    expect(positions.at(-1)).toBe(23)
    expect((await read(cluster, 5, 10)).texts).toEqual([])
  })

  it('ends when the log has lost what the range still asks for', async () => {
    const cluster = new ScriptedCluster(1)
    for (let from = 0; from < 100; from += 10) cluster.append(0, numbered(from, from + 10))
    const lose = () => cluster.truncate(0, 50)
    const {texts} = await read(cluster, 0, 100, lose)
    expect(texts.slice(0, 50)).toEqual(numbered(0, 50))
    expect((await read(cluster, 60, 70)).texts).toEqual([])
  })

  it('goes on where the log begins when it was trimmed on the way', async () => {
    const cluster = new ScriptedCluster(1)
    for (let from = 0; from < 1000; from += 10) cluster.append(0, numbered(from, from + 10))
    const {texts} = await read(cluster, 0, 1000, () => (cluster.logStart = 800))
    expect(texts.slice(-200)).toEqual(numbered(800, 1000))
    expect(texts.length).toBeLessThan(500)
  })

  it('follows a leader that moves, without a gap and nothing twice', async () => {
    const cluster = new ScriptedCluster(1)
    for (let from = 0; from < 100; from += 10) cluster.append(0, numbered(from, from + 10))
    const {texts} = await read(cluster, 0, 100, () => cluster.moveLeader(0, 2))
    expect(texts).toEqual(numbered(0, 100))
    expect(cluster.fetches.at(-1)?.broker.nodeId).toBe(2)
  })

  it('throws BATCH_CORRUPT, naming the offset, when damage stays', async () => {
    const cluster = new ScriptedCluster(1)
    cluster.append(0, numbered(0, 10))
    cluster.onReply = (reply) => {
      reply.records = Buffer.from(reply.records)
      reply.records[80]! ^= 1
    }
    await expect(read(cluster, 0, 10)).rejects.toMatchObject({code: 'BATCH_CORRUPT'})
  })
})

describe('many small reads', () => {
  it('share two connections, carry little more than they need, and leave none behind', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'streamtool-reader-'))
    const sandbox = await startSandbox({dir, kafkaPort: 0, logger: silentLogger})
    const proxy = await startCuttingProxy(sandbox.bootstrap)
    const direct = createKafkaClient(
      {brokers: [sandbox.bootstrap], clientId: 'direct'},
      {logger: silentLogger},
    )
    const client = createKafkaClient({brokers: [proxy.bootstrap], clientId: 'reader'}, {logger: silentLogger})
    try {
      await direct.admin().createTopic('small', {partitions: 1})
      const producer = direct.producer()
      const records = [{key: null, value: [Buffer.alloc(500_000, 'x')], headers: []}]
      for (let sent = 0; sent < 24; sent++) await producer.send({topic: 'small', partition: 0, records})
      const reader = client.reader()
      for (let round = 0; round < 30; round++) {
        const start = round % 20
        const sizes: number[] = []
        await reader.read({topic: 'small', partition: 0, start, end: start + 1}, async (found) => {
          sizes.push(...found.map(({value}) => value?.length ?? 0))
        })
        expect(sizes).toEqual([500_000])
      }
      expect(proxy.standing).toBeLessThanOrEqual(2)
      expect(proxy.traffic.fromBroker).toBeLessThan(30 * 1.1 * 1024 * 1024)
      await reader.close()
      await eventually('all connections are gone', () => proxy.standing === 0)
    } finally {
      await Promise.all([client.close(), direct.close()])
      await proxy.close()
      await sandbox.close()
      await rm(dir, {recursive: true})
    }
  })
})
