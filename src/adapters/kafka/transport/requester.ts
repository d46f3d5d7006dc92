/** Encodes a request in the newest version that both sides speak, sends it, decodes the answer. */
import type {Buffer} from 'node:buffer'
import {DEFAULT_REQUEST_TIMEOUT_MS} from '../settings.js'
import type {BrokerAddress, KafkaSettings} from '../settings.js'
import type {BrokerConnection} from './broker-connection.js'
import {codecFor} from './codecs.js'
import type {Answer, Codec} from './codecs.js'
import type {ConnectionCache} from './connection-cache.js'
import {addressText, garbledFailure} from './failure-causes.js'
import {ProtocolFailure, TransportFailure} from './failures.js'
import {errorOfCode} from './kafkajs-internals.js'
import type {ApiAnswer, ApiArgs, ApiName} from './protocol.js'

export interface RequestOptions {
  /** The request's body, instead of the codec's; written as it is, without a copy. */
  readonly encode?: (apiVersion: number) => readonly Buffer[]
  /** Instead of the settings'; counted from when the request was written. */
  readonly timeoutMs?: number
}

export interface DecodingRequestOptions<T> extends RequestOptions {
  readonly decode: (payload: Buffer, apiVersion: number) => T | Promise<T>
}

export interface Requester {
  request<Name extends ApiName>(
    address: BrokerAddress,
    api: Name,
    args: ApiArgs<Name>,
    options?: RequestOptions,
    signal?: AbortSignal,
  ): Promise<ApiAnswer<Name>>
  /** What `decode` throws is passed on as it is. */
  requestDecoding<Name extends ApiName, T>(
    address: BrokerAddress,
    api: Name,
    args: ApiArgs<Name>,
    options: DecodingRequestOptions<T>,
    signal?: AbortSignal,
  ): Promise<T>
}

interface Exchanged {
  readonly payload: Buffer
  readonly codec: Codec
  readonly connection: BrokerConnection
}

export function createRequester(connections: ConnectionCache, settings: KafkaSettings): Requester {
  const defaultTimeoutMs = settings.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS

  async function exchange(
    address: BrokerAddress,
    api: ApiName,
    args: object,
    options: RequestOptions,
    signal: AbortSignal | undefined,
  ): Promise<Exchanged> {
    const connection = await connections.to(address, signal)
    const codec = codecFor(api, args, connection.versions)
    if (codec === null) {
      const message = `${addressText(address)} speaks no version of ${api} that is known here`
      throw new TransportFailure('unsupported', addressText(address), message)
    }
    const {apiKey, apiVersion} = codec
    const body = options.encode?.(apiVersion) ?? (await codec.encode())
    const timeoutMs = options.timeoutMs ?? Math.max(defaultTimeoutMs, codec.timeoutMs)
    const payload = await connection.exchange({apiKey, apiVersion, apiName: api, body}, {timeoutMs, signal})
    return {payload, codec, connection}
  }

  return {
    async request<Name extends ApiName>(
      address: BrokerAddress,
      api: Name,
      args: ApiArgs<Name>,
      options: RequestOptions = {},
      signal?: AbortSignal,
    ): Promise<ApiAnswer<Name>> {
      const {payload, codec, connection} = await exchange(address, api, args, options, signal)
      const answer = await codec.decode(payload).catch((error: unknown) => {
        throw error instanceof ProtocolFailure ? error : garbledFailure(addressText(address), error)
      })
      connection.throttle(answer.clientSideThrottleTime)
      throwErrorCode(answer)
      return answer
    },
    async requestDecoding(address, api, args, options, signal) {
      const {payload, codec} = await exchange(address, api, args, options, signal)
      return options.decode(payload, codec.apiVersion)
    },
  }
}

function throwErrorCode({errorCode, memberId}: Answer): void {
  if (errorCode === undefined || errorCode === 0) return
  throw new ProtocolFailure(errorOfCode(errorCode), memberId === undefined ? {} : {memberId})
}
