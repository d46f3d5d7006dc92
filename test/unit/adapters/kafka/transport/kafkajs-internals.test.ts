import {dial} from '../../../../../src/adapters/kafka/transport/dial.js'
import {createRequire} from 'node:module'
import {connect} from 'node:net'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterEach, describe, expect, it, vi} from 'vitest'
import {
  SocketConnection,
  apiKeyOf,
  assertKafkajsVersion,
  codecOf,
  errorOfCode,
} from '../../../../../src/adapters/kafka/transport/kafkajs-internals.js'
import {eventually} from '../../../../support/eventually.js'
import {keepingLogger} from '../../../../support/kafka-settings.js'
import {api, apiVersionsAnswer, frameOf, startScriptedBroker} from '../../../../support/scripted-broker.js'
import type {Answerer, ScriptedBroker} from '../../../../support/scripted-broker.js'

/**
 * Each hazard twice: kafkajs as it is, to know when a patch is not needed any more, and ours.
 */
const require = createRequire(import.meta.url)
const quiet = () => undefined
const quietLogger = {namespace: () => quietLogger, debug: quiet, info: quiet, warn: quiet, error: quiet}

type Connection = Pick<SocketConnection, 'connect' | 'socket' | 'requestQueue'> & {
  send(request: object): Promise<Buffer>
  disconnect(): Promise<unknown>
}
const KafkajsConnection = require('kafkajs/src/network/connection') as new (options: object) => Connection
const Encoder = require('kafkajs/src/protocol/encoder') as new () => object

/** Any request will do; the answer is its raw body. */
const ask = (connection: Connection) =>
  connection.send({
    request: {
      apiKey: api.apiVersions,
      apiVersion: 0,
      apiName: 'ApiVersions',
      encode: async () => new Encoder(),
    },
    response: {decode: async (payload: Buffer) => payload, parse: async (payload: Buffer) => payload},
    logResponseError: false,
  })

const opened: Connection[] = []
const brokers: ScriptedBroker[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  for (const connection of opened.splice(0)) {
    connection.socket?.destroy()
    connection.requestQueue.destroy()
  }
  for (const broker of brokers.splice(0)) await broker.close()
})

async function broker(answerApiVersions: Answerer): Promise<ScriptedBroker> {
  const started = await startScriptedBroker({[api.apiVersions]: answerApiVersions})
  brokers.push(started)
  return started
}

const dialTo = (port: number) => (onConnect: () => void) => connect({host: '127.0.0.1', port}, onConnect)

const variants = {
  kafkajs: ({host, port}: ScriptedBroker): Connection =>
    new KafkajsConnection({
      host,
      port,
      clientId: 'test',
      logger: quietLogger,
      socketFactory: ({onConnect}: {onConnect: () => void}) => dialTo(port)(onConnect),
      connectionTimeout: 1_000,
      requestTimeout: 60_000,
      enforceRequestTimeout: false,
    }),
  ours: ({host, port}: ScriptedBroker): Connection =>
    new SocketConnection({
      host,
      port,
      clientId: 'test',
      sasl: undefined,
      connectTimeoutMs: 1_000,
      logger: keepingLogger(),
      frameMemory: null,
      dial: (options) => dial({host, port}, undefined, options),
    }) as unknown as Connection,
}

function make(variant: keyof typeof variants, to: ScriptedBroker): Connection {
  const connection = variants[variant](to)
  opened.push(connection)
  return connection
}

/** How a request stands after a while. */
const outcomeOf = (request: Promise<unknown>) =>
  Promise.race([
    request.then(
      (answer) => answer,
      (error: unknown) => `rejected: ${String(error)}`,
    ),
    sleep(400, 'still waiting'),
  ])

describe('the version check', () => {
  it('takes the version that these internals are of', () => {
    expect(() => assertKafkajsVersion('2.2.4')).not.toThrow()
  })

  it.each(['2.2.5', '3.0.0', undefined])('refuses %s, naming both', (version) => {
    expect(() => assertKafkajsVersion(version)).toThrow(
      `kafkajs 2.2.4 is needed, ${String(version)} is installed`,
    )
  })
})

describe('an idle request queue', () => {
  async function timersWhileIdle(variant: keyof typeof variants): Promise<number> {
    const connection = make(variant, await broker(() => apiVersionsAnswer()))
    await connection.connect()
    await ask(connection)
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const waited = new Promise((resolve) => setImmediate(resolve))
    await waited
    for (const until = performance.now() + 200; performance.now() < until;) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    return timers.mock.calls.length
  }

  it('of kafkajs arms timers all the time', async () => {
    expect(await timersWhileIdle('kafkajs')).toBeGreaterThan(10)
  })

  it('of ours arms none', async () => {
    expect(await timersWhileIdle('ours')).toBe(0)
  })

  it('of ours still sends what was held back', async () => {
    const connection = make('ours', await broker(() => apiVersionsAnswer()))
    await connection.connect()
    connection.requestQueue.maybeThrottle(100)
    const started = performance.now()
    expect(await outcomeOf(ask(connection))).toBeInstanceOf(Buffer)
    expect(performance.now() - started).toBeGreaterThan(90)
  })
})

describe('half an answer before the connection breaks', () => {
  const halfThenWhole: Answerer = ({turn, correlationId, socket}) => {
    if (turn > 0) return Buffer.from('the whole answer')
    socket.write(frameOf(correlationId, apiVersionsAnswer()).subarray(0, 60), () => socket.destroy())
    return null
  }

  it('makes kafkajs misread everything after a reconnect', async () => {
    const connection = make('kafkajs', await broker(halfThenWhole))
    await connection.connect()
    await ask(connection).catch(quiet)
    await connection.connect()
    expect(await outcomeOf(ask(connection))).not.toEqual(Buffer.from('the whole answer'))
  })

  it('is gone with a connection of ours, which does not reconnect', async () => {
    const to = await broker(halfThenWhole)
    const connection = make('ours', to)
    await connection.connect()
    await ask(connection).catch(quiet)
    await expect(connection.connect()).rejects.toThrow('not used twice')
    const next = make('ours', to)
    await next.connect()
    expect(await outcomeOf(ask(next))).toEqual(Buffer.from('the whole answer'))
  })
})

describe('a socket that closes without an error', () => {
  async function closeWhileWaiting(variant: keyof typeof variants) {
    const to = await broker(() => null)
    const connection = make(variant, to)
    await connection.connect()
    const request = ask(connection)
    await eventually('the request is there', () => to.requests.length === 1)
    connection.socket?.destroy()
    return outcomeOf(request)
  }

  it('leaves a request of kafkajs waiting', async () => {
    expect(await closeWhileWaiting('kafkajs')).toBe('still waiting')
  })

  it('fails a request of ours at once', async () => {
    expect(await closeWhileWaiting('ours')).toContain('the connection was closed')
  })
})

describe('an answer whose size cannot be', () => {
  it.each([-1, -5, 2, 2 ** 31 - 1])('of %d ends a connection of ours', async (size) => {
    const connection = make(
      'ours',
      await broker(({socket}) => {
        const prefix = Buffer.alloc(64)
        prefix.writeInt32BE(size)
        socket.write(prefix)
        return null
      }),
    )
    await connection.connect()
    expect(await outcomeOf(ask(connection))).toContain(`a frame of ${size} bytes`)
  })
})

describe('codecs and codes', () => {
  it('knows the keys of the requests', () => {
    expect([apiKeyOf('Produce'), apiKeyOf('DescribeGroups')]).toEqual([0, 15])
    expect(() => apiKeyOf('Nonsense')).toThrow('knows no request named Nonsense')
  })

  it('takes the newest version that both sides speak', () => {
    const args = {acks: -1, topicData: []}
    expect(codecOf('Produce', {minVersion: 0, maxVersion: 99})?.(args).request.apiVersion).toBe(7)
    expect(codecOf('Produce', {minVersion: 3, maxVersion: 5})?.(args).request.apiVersion).toBe(5)
  })

  it('takes none when the broker has left the old ones behind, or has none', () => {
    expect(codecOf('Produce', {minVersion: 8, maxVersion: 12})).toBeNull()
    expect(codecOf('Produce', undefined)).toBeNull()
  })

  it('names the errors of the protocol, and unknown ones by number', () => {
    expect(errorOfCode(6)).toMatchObject({type: 'NOT_LEADER_FOR_PARTITION', retriable: true})
    expect(errorOfCode(4711)).toMatchObject({type: 'ERROR_4711', code: 4711, retriable: false})
  })
})
