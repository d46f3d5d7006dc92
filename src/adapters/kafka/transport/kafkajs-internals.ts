/**
 * THE ONE FILE that reaches into kafkajs. Used of it: the socket's request queue and SASL authenticators (its
 * Connection), the request codecs, and the table of error codes. It has no `exports` map and no maintainer, so
 * an exact version keeps these paths; {@link assertKafkajsVersion} checks it before anything is used.
 *
 * Its Connection has hazards, each healed here and each with a test:
 *  1. an idle request queue arms a timer with a negative delay, over and over, for ever;
 *  2. half an answer is kept over a reconnect, and everything after is read out of step: here a connection
 *     lives once, has a frame reader of its own, and never reconnects;
 *  3. the socket's 'close' is not listened to, so that a request on a dead socket waits for its time-out;
 *  4. the size of an answer is believed, whatever it says (the frame reader has a limit);
 *  5. a session shorter than ten seconds is renewed at every request, which brokers refuse.
 */
import {createRequire} from 'node:module'
import type {Buffer} from 'node:buffer'
import type {Socket} from 'node:net'
import {StreamtoolError} from '../../../core/errors.js'
import type {Logger} from '../../../core/ports/index.js'
import type {SaslSettings} from '../settings.js'
import type {ProtocolError} from './failures.js'
import type {Reading} from './dial.js'
import type {FrameMemory} from './frame-memory.js'
import {FrameReader} from './frames.js'

const require = createRequire(import.meta.url)
const SUPPORTED_VERSION = '2.2.4'

export function assertKafkajsVersion(version: unknown): void {
  if (version === SUPPORTED_VERSION) return
  throw new StreamtoolError(
    'BUG',
    `kafkajs ${SUPPORTED_VERSION} is needed, ${String(version)} is installed`,
    {
      suggestions: ['install streamtool again: its lockfile pins kafkajs exactly'],
    },
  )
}
assertKafkajsVersion((require('kafkajs/package.json') as {version?: unknown}).version)

// ------------------------------------------------------------------------------------------------- the codecs

export interface KafkajsEncoder {
  readonly buffer: Buffer
}

interface KafkajsCodec {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly encode: () => Promise<KafkajsEncoder>
  }
  readonly response: {readonly decode: (payload: Buffer) => Promise<object>}
  /** Some requests are parked by the broker for longer than others. */
  readonly requestTimeout?: number
}

export interface VersionRange {
  readonly minVersion: number
  readonly maxVersion: number
}
export type ApiVersions = Readonly<Record<number, VersionRange>>

interface RequestDefinition {
  readonly versions: readonly string[]
  readonly protocol: (options: {version: number}) => (args: object) => KafkajsCodec
}

const {requests} = require('kafkajs/src/protocol/requests') as {
  requests: Readonly<Record<string, RequestDefinition>>
}
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys') as Readonly<Record<string, number>>
const {errorCodes} = require('kafkajs/src/protocol/error') as {
  errorCodes: readonly ProtocolError[]
}

export function apiKeyOf(name: string): number {
  const key = apiKeys[name]
  if (key === undefined) throw new StreamtoolError('BUG', `kafkajs knows no request named ${name}`)
  return key
}

/** The newest version that both sides speak, or null. */
export function codecOf(
  name: string,
  range: VersionRange | undefined,
): ((args: object) => KafkajsCodec) | null {
  const definition = requests[name]
  if (definition === undefined || range === undefined) return null
  const version = Math.min(range.maxVersion, Math.max(...definition.versions.map(Number)))
  if (version < range.minVersion || !definition.versions.includes(String(version))) return null
  return definition.protocol({version})
}

const errorsByCode = new Map(errorCodes.map((error) => [error.code, error]))

/** What the protocol says about an error code; codes younger than kafkajs are named by their number. */
export function errorOfCode(code: number): ProtocolError {
  return (
    errorsByCode.get(code) ?? {
      type: `ERROR_${code}`,
      code,
      message: 'the broker answered with a code that is not known here',
      retriable: false,
    }
  )
}

// --------------------------------------------------------------------------------------------- the connection

interface QueuedAnswer {
  readonly payload: Buffer
}

interface KafkajsRequestQueue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests(): void
  maybeThrottle(milliseconds: number | null | undefined): void
  fulfillRequest(answer: {correlationId: number; payload: Buffer; size: number}): void
  rejectAll(error: Error): void
  destroy(): void
  push(request: {
    entry: {
      apiKey: number
      apiName: string
      apiVersion: number
      correlationId: number
      resolve: (answer: QueuedAnswer) => void
      reject: (error: Error) => void
    }
    expectResponse: boolean
    requestTimeout: number | null
    sendRequest: () => void
  }): void
}

interface KafkajsLogger {
  namespace(name: string): KafkajsLogger
  debug(message: string, extra?: object): void
  info(message: string, extra?: object): void
  warn(message: string, extra?: object): void
  error(message: string, extra?: object): void
}

interface KafkajsConnectionOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly logger: KafkajsLogger
  readonly sasl: object | null
  readonly ssl: null
  readonly socketFactory: (options: {onConnect: () => void}) => Socket
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly enforceRequestTimeout: boolean
}

interface KafkajsConnection {
  readonly clientId: string
  readonly requestQueue: KafkajsRequestQueue
  readonly socket: Socket | undefined
  /** Milliseconds, 0 for a session without an end. */
  readonly sessionLifetime: {toString(): string}
  /** How long before its end a session is renewed, in milliseconds. */
  reauthenticationThreshold: number
  connect(): Promise<boolean>
  authenticate(): Promise<void>
  isAuthenticated(): boolean
  setVersions(versions: ApiVersions): void
  setSupportAuthenticationProtocol(supported: boolean): void
  nextCorrelationId(): number
  failIfNotConnected(): void
}

const Connection = require('kafkajs/src/network/connection') as new (
  options: KafkajsConnectionOptions,
) => KafkajsConnection

export interface SocketConnectionOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly sasl: SaslSettings | undefined
  readonly connectTimeoutMs: number
  readonly logger: Logger
  readonly frameMemory: FrameMemory | null
  /** Dials; `onConnect` when the connection (and its TLS) stands. */
  readonly dial: (options: {readonly onConnect: () => void; readonly reading: Reading}) => Socket
}

const NO_TIMEOUT_MS = 2 ** 31 - 1
/** As Java's client does, whose earliest renewal is at 85 % of a session. */
const RENEWAL_SHARE = 0.15
const LONGEST_RENEWAL_MS = 10_000

/** kafkajs's connection with the hazards above healed. Connects once; thrown away after its socket closed. */
export class SocketConnection extends Connection {
  readonly #frames: FrameReader
  readonly #reading: Reading = {
    buffer: () => this.#frames.nextRead(),
    received: (byteLength) => this.#answer(() => this.#frames.wrote(byteLength)),
  }
  #dialled = false

  constructor(options: SocketConnectionOptions) {
    super({
      host: options.host,
      port: options.port,
      clientId: options.clientId,
      logger: bridgeLogger(options.logger),
      sasl: options.sasl === undefined ? null : kafkajsSasl(options.sasl),
      ssl: null, // the dial function has it
      socketFactory: ({onConnect}) => closingIsAnError(options.dial({onConnect, reading: this.#reading})),
      connectionTimeout: options.connectTimeoutMs,
      // Time-outs are ours, one timer a request: kafkajs looks ten times a second, at every connection.
      requestTimeout: NO_TIMEOUT_MS,
      enforceRequestTimeout: false,
    })
    this.#frames = new FrameReader(options.frameMemory)
    keepQuietWhenIdle(this.requestQueue)
    // Raw SASL tokens outside of frames ended with Kafka 1.0.
    this.setSupportAuthenticationProtocol(true)
  }

  override connect(): Promise<boolean> {
    if (this.#dialled) return Promise.reject(new Error('a connection is not used twice'))
    this.#dialled = true
    return super.connect()
  }

  override async authenticate(): Promise<void> {
    await super.authenticate()
    const sessionMs = Number(this.sessionLifetime.toString())
    this.reauthenticationThreshold = Math.min(LONGEST_RENEWAL_MS, sessionMs * RENEWAL_SHARE)
  }

  #answer(read: () => readonly Buffer[]): void {
    try {
      for (const frame of read()) {
        const correlationId = frame.readInt32BE(0)
        this.requestQueue.fulfillRequest({correlationId, payload: frame.subarray(4), size: frame.length})
      }
    } catch (error) {
      this.socket?.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

function keepQuietWhenIdle(queue: KafkajsRequestQueue): void {
  const schedule = queue.scheduleCheckPendingRequests.bind(queue)
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule()
  }
}

function closingIsAnError(socket: Socket): Socket {
  let told = false
  socket.once('error', () => (told = true))
  socket.once('end', () => (told = true))
  socket.once('close', () => {
    if (!told) socket.emit('error', new Error('the connection was closed'))
  })
  return socket
}

/** A copy, because kafkajs writes into the object. */
function kafkajsSasl(sasl: SaslSettings): object {
  return {...sasl}
}

/**
 * kafkajs logs each failure that it also throws, so that all it says is for debugging. Only harmless facts are
 * passed on: answers and stacks may hold what must not be logged.
 */
function bridgeLogger(logger: Logger): KafkajsLogger {
  const quiet = () => undefined
  const say = (message: string, extra: object = {}) => {
    const {broker, correlationId, error} = extra as {
      broker?: unknown
      correlationId?: unknown
      error?: unknown
    }
    logger.debug(`kafkajs: ${message}`, {broker, correlationId, error})
  }
  const bridge: KafkajsLogger = {namespace: () => bridge, debug: quiet, info: quiet, warn: say, error: say}
  return bridge
}
