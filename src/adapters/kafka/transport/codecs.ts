/**
 * How each request is written and its answer read: kafkajs's codecs, and an own one where kafkajs's lacks what is
 * needed.
 */
import type {Buffer} from 'node:buffer'
import {BytesWriter} from '../bytes.js'
import {decodeDescribedGroups, encodeDescribeGroups} from './describe-groups.js'
import {ProtocolFailure} from './failures.js'
import {apiKeyOf, codecOf} from './kafkajs-internals.js'
import type {ApiVersions} from './kafkajs-internals.js'
import type {ApiArgs, ApiName} from './protocol.js'

export interface Codec {
  readonly apiKey: number
  readonly apiVersion: number
  /** The broker may park the request for this long; 0 for the usual time-out. */
  readonly timeoutMs: number
  encode(): Promise<readonly Buffer[]>
  /** @throws anything, when the answer cannot be read */
  decode(payload: Buffer): Promise<Answer>
}

export interface Answer {
  readonly errorCode?: number
  readonly memberId?: string
  readonly clientSideThrottleTime?: number
}

const DESCRIBE_GROUPS_VERSION = 4

/** Null when there is no version that both sides speak. */
export function codecFor(api: ApiName, args: object, versions: ApiVersions): Codec | null {
  const apiKey = apiKeyOf(api)
  const range = versions[apiKey]
  if (api === 'DescribeGroups' && (range?.maxVersion ?? 0) >= DESCRIBE_GROUPS_VERSION) {
    return {
      apiKey,
      apiVersion: DESCRIBE_GROUPS_VERSION,
      timeoutMs: 0,
      encode: async () => [encodeDescribeGroups(args as ApiArgs<'DescribeGroups'>)],
      decode: async (payload) => decodeDescribedGroups(payload),
    }
  }
  const codec = codecOf(api, range)?.(args)
  if (codec === undefined) return null
  return {
    apiKey,
    apiVersion: codec.request.apiVersion,
    timeoutMs: codec.requestTimeout ?? 0,
    encode: async () =>
      api === 'Metadata'
        ? [encodeMetadata(args as ApiArgs<'Metadata'>, codec.request.apiVersion)]
        : [(await codec.request.encode()).buffer],
    decode: async (payload) => {
      try {
        return await codec.response.decode(payload)
      } catch (error) {
        throw asProtocolFailure(error)
      }
    },
  }
}

/**
 * kafkajs writes an empty list of topics as null, which asks for all of them.
 *
 *   int32 count | string topic … | boolean allow_auto_topic_creation (since version 4)
 */
function encodeMetadata({topics, allowAutoTopicCreation}: ApiArgs<'Metadata'>, version: number): Buffer {
  const writer = new BytesWriter().array(topics, (each, topic) => each.string(topic))
  if (version >= 4) writer.int8(allowAutoTopicCreation ? 1 : 0)
  return writer.finish()
}

/** kafkajs throws UNSUPPORTED_VERSION from inside its decoders. */
function asProtocolFailure(error: unknown): unknown {
  const {code, type, message} = error as {code?: unknown; type?: unknown; message?: unknown}
  if (typeof code !== 'number' || typeof type !== 'string') return error
  return new ProtocolFailure({code, type, message: String(message), retriable: false})
}
