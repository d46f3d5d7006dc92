import {afterEach, describe, expect, it} from 'vitest'
import {BytesWriter} from '../../../../../src/adapters/kafka/bytes.js'
import type {KafkaSettings} from '../../../../../src/adapters/kafka/settings.js'
import {createCluster} from '../../../../../src/adapters/kafka/transport/cluster.js'
import type {Cluster} from '../../../../../src/adapters/kafka/transport/cluster.js'
import {ProtocolFailure} from '../../../../../src/adapters/kafka/transport/failures.js'
import {eventually} from '../../../../support/eventually.js'
import {keepingLogger, settingsFor} from '../../../../support/kafka-settings.js'
import {
  api,
  metadataAnswer,
  readMetadataRequest,
  startScriptedBroker,
} from '../../../../support/scripted-broker.js'
import type {Answerer, ScriptedBroker, ScriptedTopic} from '../../../../support/scripted-broker.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const heartbeatOk: Answerer = () => new BytesWriter().int32(0).int16(0).finish()
const HEARTBEAT = {groupId: 'g', groupGenerationId: 1, memberId: 'm', groupInstanceId: null}

/** Brokers 1, 2, … that tell of each other, and of the topics that are asked for. */
async function brokers(
  count: number,
  topics: () => readonly ScriptedTopic[] = () => [],
  answerers: Readonly<Record<number, Answerer>> = {},
): Promise<ScriptedBroker[]> {
  const started: ScriptedBroker[] = []
  const metadata: Answerer = ({body}) => {
    const asked = readMetadataRequest(body).topics
    const nodes = started.map(({host, port}, index) => ({nodeId: index + 1, host, port}))
    return metadataAnswer(
      nodes,
      topics().filter(({topic}) => asked === null || asked.includes(topic)),
    )
  }
  for (let i = 0; i < count; i++) {
    const broker = await startScriptedBroker({
      [api.metadata]: metadata,
      [api.heartbeat]: heartbeatOk,
      ...answerers,
    })
    started.push(broker)
    cleanups.push(() => broker.close())
  }
  return started
}

function clusterOf(addresses: readonly string[], more: Partial<KafkaSettings> = {}) {
  const logger = keepingLogger()
  const cluster: Cluster = createCluster(settingsFor(addresses, more), logger)
  cleanups.push(() => cluster.close())
  return {cluster, logger}
}

async function closedAddress(): Promise<string> {
  const broker = await startScriptedBroker({})
  await broker.close()
  return broker.address
}

describe('connecting', () => {
  it('learns the cluster from the first broker that answers', async () => {
    const [one] = await brokers(1)
    const {cluster} = clusterOf([await closedAddress(), one!.address])
    await cluster.connect()
    expect(cluster.clusterId()).toBe('scripted-cluster')
  })

  it('gives up soon when nothing was ever there, naming all addresses', async () => {
    const addresses = [await closedAddress(), await closedAddress()]
    const {cluster} = clusterOf(addresses, {firstConnectionMs: 300, outageToleranceMs: 600_000})
    const started = performance.now()
    await expect(cluster.connect()).rejects.toMatchObject({
      kind: 'unreachable',
      address: addresses.join(', '),
    })
    expect(performance.now() - started).toBeLessThan(1_500)
  })

  it('waits for a broker that is starting', async () => {
    const later = await startScriptedBroker({})
    await later.close()
    const {cluster, logger} = clusterOf([later.address])
    const connecting = cluster.connect()
    await eventually('a first attempt failed', () => logger.lines.some(({level}) => level === 'warn'))
    const node = {nodeId: 1, host: later.host, port: later.port}
    const started = await startScriptedBroker(
      {[api.metadata]: () => metadataAnswer([node], [])},
      {port: later.port},
    )
    cleanups.push(() => started.close())
    await connecting
    expect(logger.lines.filter(({level}) => level === 'info').map(({message}) => message)).toEqual([
      'Kafka is reached again',
    ])
  })

  // The first connection of a run was patient for seconds only, although another had been there a moment before.
  it('waits for a broker that another connection of the same client had reached', async () => {
    const [one] = await brokers(1)
    const reached = {ever: false}
    const settings = settingsFor([one!.address], {firstConnectionMs: 100, outageToleranceMs: 600_000})
    const [first, second] = [0, 1].map(() => createCluster(settings, keepingLogger(), {reached}))
    cleanups.push(
      () => first!.close(),
      () => second!.close(),
    )
    await first!.patiently(async () => {
      await first!.refreshMetadata()
      await first!.request({nodeId: 1, host: one!.host, port: one!.port, rack: null}, 'Heartbeat', HEARTBEAT)
    })
    await one!.close()
    const abort = new AbortController()
    setTimeout(() => abort.abort(new Error('still waiting')), 600)
    await expect(second!.connect(abort.signal)).rejects.toThrow('still waiting')
  })

  it('stops trying when told to', async () => {
    const {cluster} = clusterOf([await closedAddress()], {firstConnectionMs: 60_000})
    const abort = new AbortController()
    setTimeout(() => abort.abort(new Error('enough')), 30)
    await expect(cluster.connect(abort.signal)).rejects.toThrow('enough')
  })

  it('does not wait for minutes when the cluster names brokers that cannot be reached from here', async () => {
    const gone = await startScriptedBroker({})
    await gone.close()
    const named = {nodeId: 1, host: gone.host, port: gone.port}
    const one = await startScriptedBroker({
      [api.metadata]: () => metadataAnswer([named], [{topic: 't', leaders: [1]}]),
    })
    cleanups.push(() => one.close())
    const {cluster} = clusterOf([one.address], {firstConnectionMs: 300, outageToleranceMs: 600_000})
    const started = performance.now()
    const asking = cluster.patiently(async () =>
      cluster.request(await cluster.leaderOf('t', 0), 'Heartbeat', HEARTBEAT),
    )
    await expect(asking).rejects.toMatchObject({kind: 'unreachable', address: gone.address})
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

describe('metadata', () => {
  it('asks for no topic at all when none is of interest, and never to create one', async () => {
    const [one] = await brokers(1)
    const {cluster} = clusterOf([one!.address])
    await cluster.connect()
    const asked = one!.requests.filter(({apiKey}) => apiKey === api.metadata)
    expect(asked.map(({body}) => readMetadataRequest(body))).toEqual([{topics: [], mayCreate: false}])
  })

  it('does not let one bad topic hide the others', async () => {
    const [one] = await brokers(1, () => [
      {topic: 'good', leaders: [1]},
      {topic: 'secret', errorCode: 29},
      {topic: 'gone', errorCode: 3},
    ])
    const {cluster} = clusterOf([one!.address])
    await cluster.refreshMetadata(['good', 'secret', 'gone'])
    expect(await cluster.leaderOf('good', 0)).toMatchObject({nodeId: 1, port: one!.port})
    expect(cluster.partitionCount('good')).toBe(1)
    expect(cluster.partitionCount('secret')).toBeNull()
    await expect(cluster.leaderOf('secret', 0)).rejects.toMatchObject({type: 'TOPIC_AUTHORIZATION_FAILED'})
    await expect(cluster.leaderOf('gone', 0)).rejects.toMatchObject({type: 'UNKNOWN_TOPIC_OR_PARTITION'})
  })

  it('tells a partition that the topic does not have from a topic that does not exist', async () => {
    const [one] = await brokers(1, () => [{topic: 't', leaders: [1, 1]}])
    const {cluster} = clusterOf([one!.address])
    await expect(cluster.leaderOf('t', 5)).rejects.toThrow('the topic has 2 partitions, none with number 5')
  })

  it('looks again for a leader that is not there yet', async () => {
    let leaders = [-1]
    const [one] = await brokers(1, () => [{topic: 't', leaders}])
    const {cluster} = clusterOf([one!.address])
    await expect(cluster.leaderOf('t', 0)).rejects.toMatchObject({
      type: 'LEADER_NOT_AVAILABLE',
      retriable: true,
    })
    leaders = [1]
    expect(await cluster.leaderOf('t', 0)).toMatchObject({nodeId: 1})
  })

  it('keeps to what it knows until it is refreshed, and then knows the new leader', async () => {
    let leader = 1
    const [one] = await brokers(2, () => [{topic: 't', leaders: [leader]}])
    const {cluster} = clusterOf([one!.address])
    expect((await cluster.leaderOf('t', 0)).nodeId).toBe(1)
    leader = 2
    expect((await cluster.leaderOf('t', 0)).nodeId).toBe(1)
    await cluster.refreshMetadata()
    expect((await cluster.leaderOf('t', 0)).nodeId).toBe(2)
  })

  it('is asked for once by many who need it at the same time', async () => {
    const [one] = await brokers(1, () => [{topic: 't', leaders: [1]}])
    const {cluster} = clusterOf([one!.address])
    await cluster.connect()
    const before = one!.requests.length
    await Promise.all(Array.from({length: 10}, () => cluster.refreshMetadata(['t'])))
    expect(one!.requests.length - before).toBe(1)
  })

  it('survives the loss of the broker it was asked from', async () => {
    const [one, two] = await brokers(2, () => [{topic: 't', leaders: [2]}])
    const {cluster} = clusterOf([one!.address])
    await cluster.connect()
    await one!.close()
    await cluster.refreshMetadata(['t'])
    expect(await cluster.leaderOf('t', 0)).toMatchObject({port: two!.port})
  })

  it('closes connections to brokers that are no more', async () => {
    const [one] = await brokers(1)
    const outside = await startScriptedBroker({
      [api.metadata]: () => metadataAnswer([{nodeId: 1, host: one!.host, port: one!.port}], []),
    })
    cleanups.push(() => outside.close())
    const {cluster} = clusterOf([outside.address])
    await cluster.connect()
    await eventually('the first connection is closed', () => outside.sockets.size === 0)
  })
})

describe('requests', () => {
  it('open one connection to a broker, however many begin at the same time', async () => {
    const [one] = await brokers(1)
    const {cluster} = clusterOf([one!.address])
    const node = {nodeId: 1, host: one!.host, port: one!.port, rack: null}
    await Promise.all(Array.from({length: 10}, () => cluster.request(node, 'Heartbeat', HEARTBEAT)))
    expect(one!.accepted).toBe(1)
  })

  it('go over a new connection after the old one broke, and read its answers right', async () => {
    const [one] = await brokers(1, () => [], {
      [api.heartbeat]: ({turn, socket}) => {
        if (turn > 0) return new BytesWriter().int32(0).int16(0).finish()
        socket.write(Buffer.alloc(3), () => socket.destroy()) // part of an answer's size
        return null
      },
    })
    const {cluster} = clusterOf([one!.address])
    const node = {nodeId: 1, host: one!.host, port: one!.port, rack: null}
    await expect(cluster.request(node, 'Heartbeat', HEARTBEAT)).rejects.toMatchObject({kind: 'lost'})
    await cluster.request(node, 'Heartbeat', HEARTBEAT)
    expect(one!.accepted).toBe(2)
  })

  it('throw the error code of an answer', async () => {
    const [one] = await brokers(1, () => [], {
      [api.heartbeat]: () => new BytesWriter().int32(0).int16(27).finish(),
    })
    const {cluster} = clusterOf([one!.address])
    await cluster.connect()
    const request = cluster.request(await cluster.controller(), 'Heartbeat', HEARTBEAT)
    await expect(request).rejects.toBeInstanceOf(ProtocolFailure)
    await expect(request).rejects.toMatchObject({type: 'REBALANCE_IN_PROGRESS', code: 27})
  })

  it('tell an answer that cannot be read', async () => {
    const [one] = await brokers(1, () => [], {[api.heartbeat]: () => Buffer.from([1])})
    const {cluster} = clusterOf([one!.address])
    const request = cluster.request(await cluster.controller(), 'Heartbeat', HEARTBEAT)
    await expect(request).rejects.toMatchObject({kind: 'garbled', address: one!.address})
  })

  it('take a body and a decoder of the caller', async () => {
    const [one] = await brokers(1, () => [], {
      [api.heartbeat]: ({body}) => Buffer.from(body.toString().toUpperCase()),
    })
    const {cluster} = clusterOf([one!.address])
    const answer = await cluster.request(await cluster.controller(), 'Heartbeat', HEARTBEAT, {
      encode: (version) => [Buffer.from('version '), Buffer.from(String(version))],
      decode: (payload, version) => `${payload.toString()} of ${version}`,
    })
    expect(answer).toBe('VERSION 3 of 3')
  })

  it('name a broker that is too new or too old for them', async () => {
    const [one] = await brokers(1, () => [], {
      [api.apiVersions]: () =>
        new BytesWriter()
          .int16(0)
          .int32(2)
          .int16(3)
          .int16(0)
          .int16(12)
          .int16(12)
          .int16(9)
          .int16(12)
          .int32(0)
          .finish(),
    })
    const {cluster} = clusterOf([one!.address])
    const request = cluster.request(await cluster.controller(), 'Heartbeat', HEARTBEAT)
    await expect(request).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('Heartbeat') as unknown,
    })
  })

  it('fail once the cluster is closed', async () => {
    const [one] = await brokers(1, () => [], {[api.heartbeat]: () => null})
    const {cluster} = clusterOf([one!.address])
    const node = await cluster.controller()
    const out = cluster.request(node, 'Heartbeat', HEARTBEAT)
    await eventually('it is out', () => one!.requests.some(({apiKey}) => apiKey === api.heartbeat))
    await cluster.close()
    await expect(out).rejects.toMatchObject({kind: 'closed'})
    await expect(cluster.request(node, 'Heartbeat', HEARTBEAT)).rejects.toMatchObject({kind: 'closed'})
    await expect(cluster.patiently(() => cluster.refreshMetadata())).rejects.toMatchObject({kind: 'closed'})
    await eventually('nothing is left open', () => one!.sockets.size === 0)
  })

  it('find the coordinator of a group anew each time', async () => {
    const coordinators = [1, 2]
    const [one, two] = await brokers(2, () => [], {
      [api.findCoordinator]: () => {
        const index = coordinators.shift()! - 1
        const {host, port} = [one!, two!][index]!
        return new BytesWriter()
          .int32(0)
          .int16(0)
          .int16(-1)
          .int32(index + 1)
          .string(host)
          .int32(port)
          .finish()
      },
    })
    const {cluster} = clusterOf([one!.address])
    expect(await cluster.coordinatorOf('g')).toMatchObject({nodeId: 1, port: one!.port})
    expect(await cluster.coordinatorOf('g')).toMatchObject({nodeId: 2, port: two!.port})
  })
})
