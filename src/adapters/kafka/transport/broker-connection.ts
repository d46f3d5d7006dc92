/**
 * One connection to one broker, for one life: dialled, TLS, versions asked, authenticated, used, closed. Whoever
 * needs the broker again opens a new one, so nothing of a broken connection can leak into the next.
 */
import type {Buffer} from 'node:buffer'
import type {Socket} from 'node:net'
import type {ConnectionOptions} from 'node:tls'
import type {Logger} from '../../../core/ports/index.js'
import {DEFAULT_CONNECT_TIMEOUT_MS} from '../settings.js'
import type {BrokerAddress, KafkaSettings} from '../settings.js'
import {dial, tlsOptionsOf} from './dial.js'
import {ProtocolFailure, TransportFailure} from './failures.js'
import {addressText, handshakeFailure, lostFailure} from './failure-causes.js'
import type {HandshakePhase} from './failure-causes.js'
import type {FrameMemory} from './frame-memory.js'
import {Lifetime} from './lifetime.js'
import {frameOf} from './request-frame.js'
import type {EncodedRequest} from './request-frame.js'
import {SocketConnection, apiKeyOf, codecOf} from './kafkajs-internals.js'
import type {ApiVersions} from './kafkajs-internals.js'

const UNSUPPORTED_VERSION = 35

export interface ExchangeOptions {
  /** Counted from when the request was written. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** @throws TransportFailure, or the signal's reason */
export async function openBrokerConnection(
  address: BrokerAddress,
  settings: KafkaSettings,
  options: {
    logger: Logger
    frameMemory?: FrameMemory | null
    timeoutMs?: number
    signal?: AbortSignal | undefined
  },
): Promise<BrokerConnection> {
  options.signal?.throwIfAborted()
  const connection = new BrokerConnection(address, settings, options.logger, options.frameMemory ?? null)
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
  /**
   * Ends before kafkajs makes anything of it, such as calling a connection that was lost half-way a failed
   * authentication.
   */
  readonly #life = new Lifetime()
  #socket: Socket | null = null
  #phase: HandshakePhase = 'dialling'
  #versions: ApiVersions = {}

  constructor(
    address: BrokerAddress,
    settings: KafkaSettings,
    logger: Logger,
    frameMemory: FrameMemory | null,
  ) {
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
      frameMemory,
      dial: (options) => this.#dial(options),
    })
  }

  get isOpen(): boolean {
    return this.#phase === 'open' && this.#life.failure === null
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
      await this.#life.within(this.#handshake(timeoutMs), signal)
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
      await this.#life.within(this.#socketConnection.authenticate(), signal)
    } catch (error) {
      if (signal?.aborted === true) throw error
      this.#end(handshakeFailure(this.#address, 'authentication', error))
      throw this.#life.failure ?? error
    }
  }

  #exchange(request: EncodedRequest, {timeoutMs, signal}: ExchangeOptions): Promise<Buffer> {
    const {apiKey, apiName, apiVersion} = request
    const queue = this.#socketConnection.requestQueue
    const answer = new Promise<Buffer>((resolve, reject) => {
      const correlationId = this.#socketConnection.nextCorrelationId()
      const frame = frameOf(request, correlationId, this.#socketConnection.clientId)
      // Runs from when the request is written, which a throttled queue may do later, until its answer is there, also
      // when nobody wants that any more: an answer that never comes tells of a dead connection all the same.
      let timer: NodeJS.Timeout | undefined
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer)
          settle(value)
        }
      queue.push({
        entry: {
          apiKey,
          apiName,
          apiVersion,
          correlationId,
          resolve: settled(({payload}) => resolve(payload)),
          reject: settled(reject),
        },
        expectResponse: true,
        requestTimeout: null,
        sendRequest: () => {
          timer = setTimeout(() => this.#end(timeoutFailure(this.#address, apiName, timeoutMs)), timeoutMs)
          this.#write(frame)
        },
      })
    })
    return this.#life.within(answer, signal)
  }

  #write(buffers: readonly Buffer[]): void {
    const socket = this.#socket
    if (socket === null || socket.destroyed) return // whoever waits has been told by #end
    socket.cork()
    for (const buffer of buffers) socket.write(buffer)
    socket.uncork()
  }

  #dial(options: Parameters<typeof dial>[2]): Socket {
    const socket = dial(this.#target, this.#ssl, options)
    this.#socket = socket
    if (this.#ssl !== undefined) socket.once('connect', () => (this.#phase = 'tls'))
    const ended = (cause: Error) => this.#end(this.#failureOf(cause))
    socket.once('error', ended)
    socket.once('end', () => ended(new Error('the broker closed the connection')))
    socket.once('close', () => ended(new Error('the connection was closed')))
    return socket
  }

  #end(failure: TransportFailure): void {
    if (!this.#life.end(failure)) return
    this.#socket?.destroy()
    this.#socketConnection.requestQueue.destroy()
  }

  #failureOf(cause: unknown): TransportFailure {
    return this.#phase === 'open'
      ? lostFailure(this.#address, cause)
      : handshakeFailure(this.#address, this.#phase, cause)
  }

  #asFailure(error: unknown): Error {
    if (error instanceof TransportFailure || error instanceof ProtocolFailure) return error
    return handshakeFailure(this.#address, this.#phase, error)
  }
}

function timeoutFailure(address: string, apiName: string, timeoutMs: number): TransportFailure {
  return new TransportFailure(
    'timeout',
    address,
    `${address} did not answer ${apiName} within ${timeoutMs} ms`,
  )
}
