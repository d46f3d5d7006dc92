/**
 * One connection to one broker, for one life: dialled, TLS, versions asked, authenticated, used, closed. Whoever
 * needs the broker again opens a new one, so nothing of a broken connection can leak into the next.
 *
 * A request frame, header version 1 (https://kafka.apache.org/protocol#protocol_messages):
 *
 *   int32 size | int16 api key | int16 api version | int32 correlation id | nullable string client id | body
 */
import {Buffer} from 'node:buffer'
import type {Socket} from 'node:net'
import type {ConnectionOptions} from 'node:tls'
import type {Logger} from '../../../core/ports.js'
import {DEFAULT_CONNECT_TIMEOUT_MS} from '../settings.js'
import type {BrokerAddress, KafkaSettings} from '../settings.js'
import {dial, tlsOptionsOf} from './dial.js'
import {ProtocolFailure, TransportFailure} from './failures.js'
import {addressText, handshakeFailure, lostFailure} from './failure-causes.js'
import type {HandshakePhase} from './failure-causes.js'
import {SocketConnection, apiKeyOf, codecOf} from './kafkajs-internals.js'
import type {ApiVersions} from './kafkajs-internals.js'

const UNSUPPORTED_VERSION = 35

export interface EncodedRequest {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  /** Written as they are, in one writev. */
  readonly body: readonly Buffer[]
}

export interface ExchangeOptions {
  /** Counted from when the request was written. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** @throws TransportFailure, or the signal's reason */
export async function openBrokerConnection(
  address: BrokerAddress,
  settings: KafkaSettings,
  options: {logger: Logger; timeoutMs?: number; signal?: AbortSignal | undefined},
): Promise<BrokerConnection> {
  options.signal?.throwIfAborted()
  const connection = new BrokerConnection(address, settings, options.logger)
  const timeoutMs = options.timeoutMs ?? settings.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS
  await connection.open(timeoutMs, options.signal)
  return connection
}

export class BrokerConnection {
  readonly #address: string
  readonly #target: BrokerAddress
  readonly #ssl: ConnectionOptions | undefined
  readonly #socketConnection: SocketConnection
  readonly #authenticates: boolean
  /** Whatever waits for this connection; all of them hear of its end. */
  readonly #waiting = new Set<(failure: Error) => void>()
  #socket: Socket | null = null
  #phase: HandshakePhase = 'dialling'
  #ended: TransportFailure | null = null
  #versions: ApiVersions = {}

  constructor(address: BrokerAddress, settings: KafkaSettings, logger: Logger) {
    this.#address = addressText(address)
    this.#target = address
    this.#ssl = tlsOptionsOf(address, settings.ssl)
    this.#authenticates = settings.sasl !== undefined
    this.#socketConnection = new SocketConnection({
      ...address,
      clientId: settings.clientId,
      sasl: settings.sasl,
      connectTimeoutMs: settings.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
      logger,
      dial: (onConnect) => this.#dial(onConnect),
    })
  }

  get isOpen(): boolean {
    return this.#phase === 'open' && this.#ended === null
  }

  /** What the broker speaks. */
  get versions(): ApiVersions {
    return this.#versions
  }

  async open(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const timer = setTimeout(
      () =>
        this.#end(handshakeFailure(this.#address, this.#phase, new Error('no answer in time'), timeoutMs)),
      timeoutMs,
    )
    try {
      await this.#untilEnd(this.#handshake(timeoutMs), signal)
      this.#phase = 'open'
    } catch (error) {
      const failure = signal?.aborted === true ? error : this.#asFailure(error)
      this.#end(lostFailure(this.#address, error))
      throw failure
    } finally {
      clearTimeout(timer)
    }
  }

  async #handshake(timeoutMs: number): Promise<void> {
    await this.#socketConnection.connect()
    this.#phase = 'versions'
    this.#versions = await this.#askVersions(timeoutMs)
    this.#socketConnection.setVersions(this.#versions)
    if (!this.#authenticates) return
    this.#phase = 'authentication'
    await this.#socketConnection.authenticate()
  }

  async #askVersions(timeoutMs: number): Promise<ApiVersions> {
    // Version 2 suits every broker since 2.0; an older one answers UNSUPPORTED_VERSION and is asked in its own.
    for (const version of [2, 0]) {
      const codec = codecOf('ApiVersions', {minVersion: 0, maxVersion: version})?.({})
      if (codec === undefined) break
      const request = {apiKey: apiKeyOf('ApiVersions'), apiName: 'ApiVersions', apiVersion: version, body: []}
      const payload = await this.#exchange(request, {timeoutMs})
      if (payload.readInt16BE(0) === UNSUPPORTED_VERSION) continue
      const answer = (await codec.response.decode(payload)) as {
        apiVersions: readonly {apiKey: number; minVersion: number; maxVersion: number}[]
      }
      return Object.fromEntries(answer.apiVersions.map((api) => [api.apiKey, api]))
    }
    throw new TransportFailure('unsupported', this.#address, `${this.#address} does not tell its versions`)
  }

  /**
   * Sends one request and answers the body of its response.
   * @throws TransportFailure; every request that is out when the connection ends gets one
   */
  async exchange(request: EncodedRequest, options: ExchangeOptions): Promise<Buffer> {
    options.signal?.throwIfAborted()
    if (this.#authenticates && !this.#socketConnection.isAuthenticated())
      await this.#renewSession(options.signal)
    return this.#exchange(request, options)
  }

  /** The broker asked us to hold back. */
  throttle(milliseconds: number | null | undefined): void {
    this.#socketConnection.requestQueue.maybeThrottle(milliseconds)
  }

  close(): void {
    this.#end(new TransportFailure('closed', this.#address, `the connection to ${this.#address} is closed`))
  }

  /** A connection whose session could not be renewed is of no use any more. */
  async #renewSession(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#untilEnd(this.#socketConnection.authenticate(), signal)
    } catch (error) {
      if (signal?.aborted === true) throw error
      this.#end(handshakeFailure(this.#address, 'authentication', error))
      throw this.#ended ?? error
    }
  }

  #exchange(request: EncodedRequest, {timeoutMs, signal}: ExchangeOptions): Promise<Buffer> {
    let timer: NodeJS.Timeout | undefined
    const answer = new Promise<Buffer>((resolve, reject) => {
      const correlationId = this.#socketConnection.nextCorrelationId()
      const frame = frameOf(request, correlationId, this.#socketConnection.clientId)
      this.#socketConnection.requestQueue.push({
        entry: {
          apiKey: request.apiKey,
          apiName: request.apiName,
          apiVersion: request.apiVersion,
          correlationId,
          resolve: ({payload}) => resolve(payload),
          reject,
        },
        expectResponse: true,
        requestTimeout: null,
        sendRequest: () => {
          timer = setTimeout(
            () => this.#end(timeoutFailure(this.#address, request.apiName, timeoutMs)),
            timeoutMs,
          )
          this.#write(frame)
        },
      })
    })
    return this.#untilEnd(answer, signal).finally(() => clearTimeout(timer))
  }

  #write(buffers: readonly Buffer[]): void {
    const socket = this.#socket
    if (socket === null || socket.destroyed) return // whoever waits has been told by #end
    socket.cork()
    for (const buffer of buffers) socket.write(buffer)
    socket.uncork()
  }

  /** The promise, or the end of this connection, or the signal's reason: whichever comes first. */
  #untilEnd<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (this.#ended !== null) {
      promise.catch(() => undefined)
      return Promise.reject(this.#ended)
    }
    return new Promise<T>((resolve, reject) => {
      const aborted = () => reject(signal?.reason as Error)
      this.#waiting.add(reject)
      signal?.addEventListener('abort', aborted, {once: true})
      promise.then(resolve, reject).finally(() => {
        this.#waiting.delete(reject)
        signal?.removeEventListener('abort', aborted)
      })
    })
  }

  #dial(onConnect: () => void): Socket {
    const socket = dial(this.#target, this.#ssl, onConnect)
    this.#socket = socket
    if (this.#ssl !== undefined) socket.once('connect', () => (this.#phase = 'tls'))
    const ended = (cause: Error) => this.#end(this.#failureOf(cause))
    socket.once('error', ended)
    socket.once('end', () => ended(new Error('the broker closed the connection')))
    socket.once('close', () => ended(new Error('the connection was closed')))
    return socket
  }

  #end(failure: TransportFailure): void {
    if (this.#ended !== null) return
    this.#ended = failure
    this.#socket?.destroy()
    this.#socketConnection.requestQueue.destroy()
    for (const reject of [...this.#waiting]) reject(failure)
    this.#waiting.clear()
  }

  #failureOf(cause: unknown): TransportFailure {
    return this.#phase === 'open'
      ? lostFailure(this.#address, cause)
      : handshakeFailure(this.#address, this.#phase, cause)
  }

  /** kafkajs wraps a lost connection as a failed authentication; what ended the socket is the truth. */
  #asFailure(error: unknown): Error {
    if (this.#ended !== null) return this.#ended
    if (error instanceof TransportFailure || error instanceof ProtocolFailure) return error
    return handshakeFailure(this.#address, this.#phase, error)
  }
}

function frameOf(request: EncodedRequest, correlationId: number, clientId: string): Buffer[] {
  const clientIdBytes = Buffer.byteLength(clientId)
  const header = Buffer.allocUnsafe(14 + clientIdBytes)
  const bodyBytes = request.body.reduce((sum, buffer) => sum + buffer.length, 0)
  header.writeInt32BE(header.length - 4 + bodyBytes, 0)
  header.writeInt16BE(request.apiKey, 4)
  header.writeInt16BE(request.apiVersion, 6)
  header.writeInt32BE(correlationId, 8)
  header.writeInt16BE(clientIdBytes, 12)
  header.write(clientId, 14)
  return [header, ...request.body]
}

function timeoutFailure(address: string, apiName: string, timeoutMs: number): TransportFailure {
  return new TransportFailure(
    'timeout',
    address,
    `${address} did not answer ${apiName} within ${timeoutMs} ms`,
  )
}
