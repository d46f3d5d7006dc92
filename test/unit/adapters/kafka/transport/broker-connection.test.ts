import {readFileSync} from 'node:fs'
import {createServer} from 'node:net'
import type {AddressInfo} from 'node:net'
import {afterEach, describe, expect, it} from 'vitest'
import {BytesReader, BytesWriter} from '../../../../../src/adapters/kafka/bytes.js'
import type {KafkaSettings} from '../../../../../src/adapters/kafka/settings.js'
import {openBrokerConnection} from '../../../../../src/adapters/kafka/transport/broker-connection.js'
import type {BrokerConnection} from '../../../../../src/adapters/kafka/transport/broker-connection.js'
import {TransportFailure} from '../../../../../src/adapters/kafka/transport/failures.js'
import {eventually} from '../../../../support/eventually.js'
import {keepingLogger, settingsFor} from '../../../../support/kafka-settings.js'
import {api, apiVersionsAnswer, frameOf, startScriptedBroker} from '../../../../support/scripted-broker.js'
import type {Answerer, ScriptedBroker} from '../../../../support/scripted-broker.js'

const pem = (name: string) => readFileSync(new URL(`../../../../fixtures/tls/${name}`, import.meta.url))
const PASSWORD = 'swordfish-42'
const HEARTBEAT = {apiKey: api.heartbeat, apiName: 'Heartbeat', apiVersion: 3}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function broker(
  ...[answerers, options]: Parameters<typeof startScriptedBroker>
): Promise<ScriptedBroker> {
  const started = await startScriptedBroker(answerers, options)
  cleanups.push(() => started.close())
  return started
}

async function open(
  to: {host: string; port: number},
  more: Partial<KafkaSettings> = {},
  signal?: AbortSignal,
): Promise<BrokerConnection> {
  const connection = await openBrokerConnection(to, settingsFor([], more), {logger: keepingLogger(), signal})
  cleanups.push(() => connection.close())
  return connection
}

const failure = (kind: string, message: string): unknown =>
  expect.objectContaining({
    name: 'TransportFailure',
    kind,
    message: expect.stringContaining(message) as unknown,
  })

describe('opening a connection', () => {
  it('asks what the broker speaks', async () => {
    const connection = await open(await broker({}))
    expect(connection.isOpen).toBe(true)
    expect(connection.versions[api.produce]).toMatchObject({minVersion: 0, maxVersion: 99})
  })

  it('asks again in version 0 when the broker is older than the question', async () => {
    const to = await broker({
      [api.apiVersions]: ({apiVersion}) =>
        apiVersion > 0
          ? new BytesWriter().int16(35).int32(0).finish()
          : new BytesWriter().int16(0).int32(1).int16(3).int16(0).int16(4).finish(),
    })
    expect((await open(to)).versions[api.metadata]).toMatchObject({maxVersion: 4})
  })

  it('tells a port where nobody listens', async () => {
    const closed = await broker({})
    await closed.close()
    const opening = open(closed)
    await expect(opening).rejects.toEqual(failure('unreachable', `${closed.address}, during connecting`))
    await expect(opening).rejects.toMatchObject({systemCode: 'ECONNREFUSED', retriable: true})
  })

  it('tells a name that does not exist', async () => {
    await expect(open({host: 'no-such-host.invalid', port: 9092})).rejects.toMatchObject({
      kind: 'unreachable',
      address: 'no-such-host.invalid:9092',
    })
  })

  it('gives up a broker that is silent, and lets go of the socket', async () => {
    const to = await broker({[api.apiVersions]: () => null})
    await expect(open(to, {connectTimeoutMs: 150})).rejects.toEqual(
      failure('unreachable', 'during asking its versions, within 150 ms'),
    )
    await eventually('the socket is closed', () => to.sockets.size === 0)
  })

  it('tells a broker that hangs up on the first question', async () => {
    const to = await broker({[api.apiVersions]: ({socket}) => (socket.end(), null)})
    await expect(open(to)).rejects.toEqual(failure('unreachable', 'the broker closed the connection'))
  })

  it('tells a server that is no Kafka', async () => {
    const web = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => web.close(resolve)))
    const {port} = web.address() as AddressInfo
    await expect(open({host: '127.0.0.1', port})).rejects.toEqual(
      failure('garbled', "not answer in Kafka's protocol"),
    )
  })

  it('tells a broker that wants TLS, by its alert', async () => {
    const alert = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x50])
    const to = await broker({[api.apiVersions]: ({socket}) => (socket.write(alert), null)})
    const opening = open(to)
    await expect(opening).rejects.toEqual(failure('garbled', 'answers in TLS'))
    await expect(opening).rejects.toMatchObject({wantsTls: true, retriable: false})
  })

  it('stops when told to, with the reason', async () => {
    const to = await broker({[api.apiVersions]: () => null})
    const abort = new AbortController()
    const opening = open(to, {}, abort.signal)
    await eventually('the question is there', () => to.requests.length === 1)
    abort.abort(new Error('enough'))
    await expect(opening).rejects.toThrow('enough')
    await eventually('the socket is closed', () => to.sockets.size === 0)
  })
})

describe('TLS', () => {
  const serverTls = {cert: pem('broker.pem'), key: pem('broker.key')}

  it('connects to a broker whose authority is trusted', async () => {
    const to = await broker({}, {tlsOptions: serverTls})
    expect((await open(to, {ssl: {ca: pem('ca.pem')}})).isOpen).toBe(true)
  })

  it('refuses a broker whose authority is not', async () => {
    const to = await broker({}, {tlsOptions: serverTls})
    await expect(open(to, {ssl: true})).rejects.toEqual(
      failure('tls', 'during the TLS handshake: unable to verify'),
    )
  })

  it('takes any broker when told not to look', async () => {
    const to = await broker({}, {tlsOptions: serverTls})
    expect((await open(to, {ssl: {rejectUnauthorized: false}})).isOpen).toBe(true)
  })

  it('refuses a broker with a certificate for another name', async () => {
    const to = await broker({}, {tlsOptions: serverTls})
    const ssl = {ca: pem('ca.pem'), servername: 'kafka.example'}
    await expect(open(to, {ssl})).rejects.toMatchObject({
      kind: 'tls',
      systemCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })

  it('shows a certificate to a broker that asks for one, its key under a passphrase', async () => {
    const to = await broker({}, {tlsOptions: {...serverTls, ca: pem('ca.pem'), requestCert: true}})
    const ssl = {
      ca: pem('ca.pem'),
      cert: pem('client.pem'),
      key: pem('client-encrypted.key'),
      passphrase: 'keyphrase',
    }
    expect((await open(to, {ssl})).isOpen).toBe(true)
  })

  it('tells a broker that refuses a client without a certificate', async () => {
    const to = await broker({}, {tlsOptions: {...serverTls, ca: pem('ca.pem'), requestCert: true}})
    const opening = open(to, {ssl: {ca: pem('ca.pem')}})
    await expect(opening).rejects.toMatchObject({kind: 'tls', retriable: false})
    await expect(opening).rejects.toThrow(/alert certificate required$/)
  })

  it('tells a key that cannot be opened, without the passphrase', async () => {
    const to = await broker({}, {tlsOptions: serverTls})
    const ssl = {cert: pem('client.pem'), key: pem('client-encrypted.key'), passphrase: PASSWORD}
    const error = await open(to, {ssl}).then(
      () => null,
      (thrown: unknown) => thrown as TransportFailure,
    )
    expect(error).toMatchObject({kind: 'tls', retriable: false})
    expect(JSON.stringify(error) + error!.message).not.toContain(PASSWORD)
  })

  it('is tried again when the broker hangs up during the handshake: it may be starting', async () => {
    const hangingUp = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => hangingUp.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => hangingUp.close(resolve)))
    const {port} = hangingUp.address() as AddressInfo
    await expect(open({host: '127.0.0.1', port}, {ssl: true})).rejects.toMatchObject({
      kind: 'unreachable',
      retriable: true,
    })
  })
})

describe('SASL', () => {
  const sasl = {mechanism: 'plain', username: 'ada', password: PASSWORD} as const
  const handshake: Answerer = () =>
    new BytesWriter()
      .int16(0)
      .array(['PLAIN'], (writer, name) => writer.string(name))
      .finish()
  const authenticated = (errorCode: number, message: string) =>
    new BytesWriter().int16(errorCode).string(message).bytes(Buffer.alloc(0)).int32(0).int32(0).finish()

  it('sends user name and password when the broker knows the mechanism', async () => {
    let token = ''
    const to = await broker({
      [api.saslHandshake]: handshake,
      [api.saslAuthenticate]: ({body}) => {
        token = String(new BytesReader(body).nullableBytes())
        return authenticated(0, '')
      },
    })
    expect((await open(to, {sasl})).isOpen).toBe(true)
    expect(token.split('\0').slice(-2)).toEqual(['ada', PASSWORD])
  })

  it('does not try again what the broker refused, and keeps the password to itself', async () => {
    const to = await broker({
      [api.saslHandshake]: handshake,
      [api.saslAuthenticate]: ({socket, correlationId}) => {
        socket.end(
          frameOf(correlationId, authenticated(58, 'Authentication failed: Invalid username or password')),
        )
        return null
      },
    })
    const logger = keepingLogger()
    const opening = openBrokerConnection(to, settingsFor([], {sasl}), {logger})
    const error = await opening.then(
      () => null,
      (thrown: unknown) => thrown as TransportFailure,
    )
    expect(error).toMatchObject({kind: 'authentication', retriable: false})
    const everything = [error!.message, JSON.stringify(error), JSON.stringify(logger.lines)].join()
    expect(everything).not.toContain(PASSWORD)
    expect(everything).not.toContain(Buffer.from(PASSWORD).toString('base64'))
  })

  it('tells a mechanism that the broker does not have', async () => {
    const to = await broker({[api.saslHandshake]: handshake})
    const scram = {...sasl, mechanism: 'scram-sha-512'} as const
    await expect(open(to, {sasl: scram})).rejects.toEqual(failure('authentication', 'SCRAM-SHA-512'))
  })

  it('does not mistake a connection that broke half-way for a refusal', async () => {
    const to = await broker({
      [api.saslHandshake]: handshake,
      [api.saslAuthenticate]: ({socket}) => (socket.destroy(), null),
    })
    await expect(open(to, {sasl})).rejects.toMatchObject({kind: 'unreachable', retriable: true})
  })

  describe('with sessions that end', () => {
    const SESSION_MS = 400
    const sessionOf = (errorCode: number) =>
      new BytesWriter().int16(errorCode).string('').bytes(Buffer.alloc(0)).int32(0).int32(SESSION_MS).finish()

    it('renews them before that, and not more often than needed', async () => {
      const to = await broker({
        [api.saslHandshake]: handshake,
        [api.saslAuthenticate]: () => sessionOf(0),
        [api.heartbeat]: () => Buffer.from('ok'),
      })
      const connection = await open(to, {sasl})
      const started = performance.now()
      while (performance.now() - started < 3 * SESSION_MS) {
        await Promise.all(
          [1, 2, 3].map(() => connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 1_000})),
        )
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const authentications = to.requests.filter(({apiKey}) => apiKey === api.saslAuthenticate).length
      expect(authentications).toBeGreaterThanOrEqual(3)
      expect(authentications).toBeLessThanOrEqual(5)
    })

    it('has no use for a connection whose session was not renewed', async () => {
      const to = await broker({
        [api.saslHandshake]: handshake,
        [api.saslAuthenticate]: ({turn}) => sessionOf(turn === 0 ? 0 : 58),
      })
      const connection = await open(to, {sasl})
      await new Promise((resolve) => setTimeout(resolve, SESSION_MS))
      const exchanging = connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 1_000})
      await expect(exchanging).rejects.toMatchObject({kind: 'authentication'})
      expect(connection.isOpen).toBe(false)
    })
  })

  it('is not tried again when the port does no SASL', async () => {
    const to = await broker({[api.saslHandshake]: () => new BytesWriter().int16(34).int32(0).finish()})
    await expect(open(to, {sasl})).rejects.toMatchObject({kind: 'authentication', retriable: false})
  })

  it('asks for a fresh token each time', async () => {
    const tokens: string[] = []
    const to = await broker({
      [api.saslHandshake]: () => new BytesWriter().int16(0).int32(1).string('OAUTHBEARER').finish(),
      [api.saslAuthenticate]: ({body}) => {
        tokens.push(/auth=Bearer (\S+?)\x01/.exec(String(new BytesReader(body).nullableBytes()))?.[1] ?? '')
        return authenticated(0, '')
      },
    })
    let issued = 0
    const oauth = {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => ({value: `token-${++issued}`}),
    } as const
    await open(to, {sasl: oauth})
    await open(to, {sasl: oauth})
    expect(tokens).toEqual(['token-1', 'token-2'])
  })
})

describe('a request', () => {
  it('is written behind its header, from as many buffers as it has', async () => {
    const to = await broker({[api.heartbeat]: () => Buffer.from('answer')})
    const connection = await open(to)
    const body = [Buffer.from('one '), Buffer.alloc(0), Buffer.alloc(70_000, 'x'), Buffer.from(' end')]
    expect((await connection.exchange({...HEARTBEAT, body}, {timeoutMs: 1_000})).toString()).toBe('answer')
    expect(to.requests.at(-1)).toMatchObject({
      apiKey: api.heartbeat,
      apiVersion: 3,
      body: Buffer.concat(body),
    })
  })

  it('gets its own answer when several are out', async () => {
    const connection = await open(await broker({[api.heartbeat]: ({body}) => Buffer.from(body)}))
    const answers = await Promise.all(
      Array.from({length: 20}, (_, i) =>
        connection.exchange({...HEARTBEAT, body: [Buffer.from(`request ${i}`)]}, {timeoutMs: 1_000}),
      ),
    )
    expect(answers.map(String)).toEqual(Array.from({length: 20}, (_, i) => `request ${i}`))
  })

  it('without an answer in time ends the connection, which is as good as dead', async () => {
    const to = await broker({[api.heartbeat]: () => null})
    const connection = await open(to)
    const patient = connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 60_000})
    const hasty = connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 80})
    await expect(hasty).rejects.toEqual(failure('timeout', 'did not answer Heartbeat within 80 ms'))
    await expect(patient).rejects.toBeInstanceOf(TransportFailure)
    expect(connection.isOpen).toBe(false)
    await eventually('the socket is closed', () => to.sockets.size === 0)
  })

  it('fails with all others when the connection is lost', async () => {
    const to = await broker({[api.heartbeat]: () => null})
    const connection = await open(to)
    const requests = [1, 2, 3].map(() => connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 60_000}))
    await eventually(
      'they are there',
      () => to.requests.filter(({apiKey}) => apiKey === api.heartbeat).length === 3,
    )
    for (const socket of to.sockets) socket.resetAndDestroy()
    for (const outcome of await Promise.allSettled(requests)) {
      expect(outcome).toMatchObject({status: 'rejected', reason: {kind: 'lost', retriable: true}})
    }
    await expect(connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 100})).rejects.toMatchObject({
      kind: 'lost',
    })
  })

  it('that is not wanted any more leaves the connection usable, and its late answer alone', async () => {
    const to = await broker({
      [api.heartbeat]: async ({turn}) => {
        if (turn === 0) await new Promise((resolve) => setTimeout(resolve, 50))
        return Buffer.from(`answer ${turn}`)
      },
    })
    const connection = await open(to)
    const abort = new AbortController()
    const unwanted = connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 1_000, signal: abort.signal})
    abort.abort(new Error('never mind'))
    await expect(unwanted).rejects.toThrow('never mind')
    const wanted = await connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 1_000})
    expect(wanted.toString()).toBe('answer 1')
  })

  it('that is not wanted before it could be written does not end the connection later', async () => {
    const connection = await open(await broker({[api.heartbeat]: () => Buffer.from('ok')}))
    connection.throttle(100)
    const abort = new AbortController()
    const unwanted = connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 80, signal: abort.signal})
    abort.abort(new Error('never mind'))
    await expect(unwanted).rejects.toThrow('never mind')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(connection.isOpen).toBe(true)
  })

  it('that is not wanted still tells a connection that is dead', async () => {
    const connection = await open(await broker({[api.heartbeat]: () => null}))
    const abort = new AbortController()
    const unwanted = connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 80, signal: abort.signal})
    abort.abort(new Error('never mind'))
    await expect(unwanted).rejects.toThrow('never mind')
    await eventually('the connection is given up', () => !connection.isOpen)
  })

  it('fails at once when this side closes', async () => {
    const connection = await open(await broker({[api.heartbeat]: () => null}))
    const request = connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 60_000})
    connection.close()
    await expect(request).rejects.toMatchObject({kind: 'closed', retriable: false})
  })

  it('waits while the broker wants peace, and its time-out with it', async () => {
    const connection = await open(await broker({[api.heartbeat]: () => Buffer.from('ok')}))
    connection.throttle(150)
    const started = performance.now()
    await connection.exchange({...HEARTBEAT, body: []}, {timeoutMs: 100})
    expect(performance.now() - started).toBeGreaterThan(140)
  })
})

it('answers the last of the versions answers that were sent in pieces', async () => {
  const to = await broker({
    [api.apiVersions]: ({socket, correlationId}) => {
      const frame = frameOf(correlationId, apiVersionsAnswer())
      for (let i = 0; i < frame.length; i++) socket.write(frame.subarray(i, i + 1))
      return null
    },
  })
  expect((await open(to)).isOpen).toBe(true)
})
