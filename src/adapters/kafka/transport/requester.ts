/** Encodes a request in the newest version that both sides speak, sends it, decodes the answer. */
import type {Buffer} from 'node:buffer'
import {DEFAULT_REQUEST_TIMEOUT_MS} from '../settings.js'
import type {BrokerAddress, KafkaSettings} from '../settings.js'
import {codecFor} from './codecs.js'
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
  /** After `decode`: may look, throw, or make something else of it. */
  readonly parse?: (decoded: T) => T | Promise<T>
}

export interface Requester {
  request<Name extends ApiName>(
    address: BrokerAddress,
    api: Name,
    args: ApiArgs<Name>,
    options: RequestOptions,
    signal?: AbortSignal,
  ): Promise<ApiAnswer<Name>>
}

export function createRequester(connections: ConnectionCache, settings: KafkaSettings): Requester {
  const defaultTimeoutMs = settings.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS
  return {
    async request(address, api, args, options: RequestOptions & Partial<DecodingRequestOptions<never>>, signal) {
      const connection = await connections.to(address, signal)
      const codec = codecFor(api, args, connection.versions)
      if (codec === null) {
        const message = `${addressText(address)} speaks no version of ${api} that is known here`
        throw new TransportFailure('unsupported', addressText(address), message)
      }
      const body = options.encode?.(codec.apiVersion) ?? (await codec.encode())
      const timeoutMs = options.timeoutMs ?? Math.max(defaultTimeoutMs, codec.timeoutMs)
      const payload = await connection.exchange({...codec, apiName: api, body}, {timeoutMs, signal})
      if (options.decode !== undefined) {
        const decoded = await options.decode(payload, codec.apiVersion)
        return (await options.parse?.(decoded)) ?? decoded
      }
      const answer = await codec.decode(payload).catch((error: unknown) => {
        throw error instanceof ProtocolFailure ? error : garbledFailure(addressText(address), error)
      })
      connection.throttle(answer.clientSideThrottleTime)
      throwErrorCode(answer)
      return answer as never
    },
  }
}

function throwErrorCode(answer: {errorCode?: number; memberId?: string}): void {
  if (answer.errorCode === undefined || answer.errorCode === 0) return
  throw new ProtocolFailure(errorOfCode(answer.errorCode), answer.memberId)
}
