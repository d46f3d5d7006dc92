import {spawn} from 'node:child_process'
import {createHash, randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {createServer, type AddressInfo} from 'node:net'
import {fileURLToPath} from 'node:url'
import {describe, expect, it, onTestFinished} from 'vitest'
import {startSandbox} from '../../../src/sandbox/index.js'
import {createTopics} from '../../../src/sandbox/broker/protocol/administration.js'
import {metadata} from '../../../src/sandbox/broker/protocol/cluster.js'
import {offsetCommit, offsetFetch} from '../../../src/sandbox/broker/protocol/group-offsets.js'
import {fetch, produce} from '../../../src/sandbox/broker/protocol/records.js'
import {diesWithUs, ended} from '../../support/processes.js'
import {makeBatch} from '../../support/sandbox/kafkajs-internals.js'
import {RawClient} from '../../support/sandbox/raw-client.js'
import {rememberingLogger, temporaryDirectory, temporarySandbox} from '../../support/sandbox/temporary.js'

const SANDBOX_PROCESS = fileURLToPath(new URL('../../support/sandbox/sandbox-process.ts', import.meta.url))

async function spawnSandbox(dir: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', SANDBOX_PROCESS, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  diesWithUs(child)
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const gone = ended(child)
  return {
    bootstrap: line.toString().trim(),
    kill: async () => {
      child.kill('SIGKILL')
      await gone
    },
  }
}

const start = (dir: string, kafkaPort = 0) =>
  startSandbox({dir, kafkaPort, logger: rememberingLogger().logger})

describe('a sandbox', () => {
  it('keeps its cluster id and its topics over a restart', async () => {
    const dir = await temporaryDirectory()
    const look = async (mayCreate: boolean) => {
      const sandbox = await start(dir)
      const client = await RawClient.open(sandbox.bootstrap)
      const {clusterId, topics} = await client.request(metadata, 6, {topics: ['t'], mayCreate})
      await sandbox.close()
      return {clusterId, errors: topics.map(({error}) => error)}
    }
    const {clusterId} = await look(false)
    expect(await look(true)).toEqual({clusterId, errors: [0]})
    expect(await look(false)).toEqual({clusterId, errors: [0]})
  })

  it('refuses a directory that another one uses, in this process or another, and takes it when that has ended', async () => {
    const dir = await temporaryDirectory()
    const first = await start(dir)
    await expect(start(dir)).rejects.toMatchObject({code: 'SANDBOX_DIR_IN_USE', exitCode: 2})
    await first.close()

    const other = await spawnSandbox(dir)
    await expect(start(dir)).rejects.toMatchObject({code: 'SANDBOX_DIR_IN_USE', facts: {dir}})
    await other.kill()
    const next = await start(dir)
    await next.close()
  }, 30_000)

  it('says which port it cannot have, and leaves the directory free', async () => {
    const dir = await temporaryDirectory()
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const {port} = taken.address() as AddressInfo
    await expect(start(dir, port)).rejects.toMatchObject({code: 'PORT_UNUSABLE', facts: {port}})
    await (await start(dir)).close()
  })

  it('says which directory it cannot use', async () => {
    const dir = '/dev/null/sandbox'
    await expect(start(dir)).rejects.toMatchObject({name: 'StreamtoolError'})
    await expect(start(dir)).rejects.toThrow(dir)
  })

  it('listens on the loopback interface only', async () => {
    const {bootstrap} = await temporarySandbox()
    expect(bootstrap).toMatch(/^127\.0\.0\.1:\d+$/)
  })

  it('closes with requests still waiting, and may be closed twice', async () => {
    const sandbox = await start(await temporaryDirectory())
    const client = await RawClient.open(sandbox.bootstrap)
    await client.request(metadata, 6, {topics: ['t'], mayCreate: true})
    const limits = {maxWaitMs: 600_000, minBytes: 1, maxBytes: 1000, sessionEpoch: -1}
    const partitions = [{partition: 0, offset: 0, maxBytes: 1000}]
    const waiting = client.request(fetch, 11, {...limits, topics: [{topic: 't', partitions}]})
    const closed = Promise.all([sandbox.close(), sandbox.close()])
    await expect(waiting).rejects.toThrow('the broker closed the connection')
    await closed
  })
})

/** What the broker has acknowledged, and so must still have after any death. */
interface Acknowledged {
  readonly batches: Map<string, string>
  committed: number
}

const digest = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex')

/** Sends batches, eight in flight, and commits, until the connection breaks. */
async function writeUntilKilled(
  client: RawClient,
  acknowledged: Acknowledged,
  enough: () => void,
): Promise<void> {
  let sent = 0
  const sendBatches = async (lane: number): Promise<never> => {
    for (;;) {
      const records = await makeBatch({values: [randomBytes(1 + Math.floor(Math.random() * 100_000))]})
      const partition = lane % 4
      const topics = [{topic: 't', partitions: [{partition, records}]}]
      const answer = await client.request(produce, 7, {transactionalId: null, acks: -1, topics})
      const {error, baseOffset} = answer.topics[0]!.partitions[0]!
      expect(error).toBe(0)
      acknowledged.batches.set(`${partition}/${baseOffset}`, digest(records.subarray(17)))
      if (++sent === 80) enough()
    }
  }
  const commit = async (): Promise<never> => {
    for (let offset = acknowledged.committed + 1; ; offset++) {
      const topics = [{topic: 't', partitions: [{partition: 0, offset, metadata: 'm'.repeat(2000)}]}]
      const anonymous = {generation: -1, memberId: '', instanceId: null}
      await client.request(offsetCommit, 7, {groupId: 'g', ...anonymous, topics})
      acknowledged.committed = offset
    }
  }
  const lanes = [...Array.from({length: 8}, (_, lane) => sendBatches(lane)), commit()]
  for (const {reason} of (await Promise.allSettled(lanes)) as PromiseRejectedResult[]) {
    expect((reason as Error).message).toBe('the broker closed the connection')
  }
}

async function expectAllThere(client: RawClient, {batches, committed}: Acknowledged): Promise<void> {
  for (const [place, expected] of batches) {
    const [partition, offset] = place.split('/').map(Number) as [number, number]
    const limits = {maxWaitMs: 0, minBytes: 1, maxBytes: 0, sessionEpoch: -1}
    const topics = [{topic: 't', partitions: [{partition, offset, maxBytes: 0}]}]
    const answer = await client.request(fetch, 11, {...limits, topics})
    const {records} = answer.topics[0]!.partitions[0]!
    expect(records.readBigInt64BE(), place).toBe(BigInt(offset))
    expect(digest(records.subarray(17)), place).toBe(expected)
  }
  const topics = [{topic: 't', partitions: [0]}]
  const fetched = await client.request(offsetFetch, 4, {groupId: 'g', topics})
  // A commit whose answer was lost may have been stored.
  expect(fetched.topics[0]!.partitions[0]!.offset - committed).toBeOneOf([0, 1])
}

describe('kill -9', () => {
  it('while producing and committing loses nothing that was acknowledged, three times over', async () => {
    const dir = await temporaryDirectory()
    const acknowledged: Acknowledged = {batches: new Map(), committed: 0}
    for (let round = 0; round < 3; round++) {
      const sandbox = await spawnSandbox(dir)
      const client = await RawClient.open(sandbox.bootstrap)
      if (round === 0) {
        const wanted = {topic: 't', partitionCount: 4, replicationFactor: 1, assignments: [], config: []}
        await client.request(createTopics, 3, {topics: [wanted], validateOnly: false})
      } else {
        await expectAllThere(client, acknowledged)
      }
      let killed: Promise<void> | undefined
      await writeUntilKilled(client, acknowledged, () => void (killed = sandbox.kill()))
      await killed
    }
    expect(acknowledged.batches.size).toBeGreaterThanOrEqual(240)
    expect(acknowledged.committed).toBeGreaterThan(3)
    const {bootstrap} = await temporarySandbox({dir})
    const client = await RawClient.open(bootstrap)
    await expectAllThere(client, acknowledged)
    client.close()
  }, 60_000)
})
