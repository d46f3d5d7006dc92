/**
 * Translates what went wrong with a broker into the error family, where it leaves the adapter. Whoever calls says
 * what it happened to; nothing here ever holds credentials, because no failure does.
 */
import {StreamtoolError} from '../../core/errors.js'
import type {ErrorCode} from '../../core/errors.js'
import {ProtocolFailure, TransportFailure} from './transport/failures.js'
import type {TransportFailureKind} from './transport/failures.js'

export interface FailureContext {
  /** The brokers of the settings, as the user wrote them. */
  readonly addresses: string
  readonly topic?: string
  readonly partition?: number
  readonly groupId?: string
}

/** What is not a failure of the transport or the protocol (an abort's reason, a StreamtoolError) stays as it is. */
export function translateFailure(error: unknown, context: FailureContext): unknown {
  if (error instanceof ProtocolFailure) return translateProtocol(error, context)
  if (error instanceof TransportFailure) return translateTransport(error, context)
  return error
}

/** Runs something and translates what it throws. */
export async function translating<T>(context: FailureContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw translateFailure(error, context)
  }
}

const CODES_BY_TYPE: Readonly<Record<string, ErrorCode>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'TOPIC_UNKNOWN',
  INVALID_TOPIC_EXCEPTION: 'TOPIC_UNKNOWN',
  TOPIC_AUTHORIZATION_FAILED: 'NOT_AUTHORISED',
  GROUP_AUTHORIZATION_FAILED: 'NOT_AUTHORISED',
  CLUSTER_AUTHORIZATION_FAILED: 'NOT_AUTHORISED',
  SASL_AUTHENTICATION_FAILED: 'AUTHENTICATION_FAILED',
  UNSUPPORTED_SASL_MECHANISM: 'AUTHENTICATION_FAILED',
  ILLEGAL_SASL_STATE: 'AUTHENTICATION_FAILED',
  MESSAGE_TOO_LARGE: 'MESSAGE_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'MESSAGE_TOO_LARGE',
  UNSUPPORTED_COMPRESSION_TYPE: 'CODEC_UNKNOWN',
  FENCED_INSTANCE_ID: 'GROUP_FENCED',
  ILLEGAL_GENERATION: 'GROUP_STALE',
  UNKNOWN_MEMBER_ID: 'GROUP_STALE',
  REBALANCE_IN_PROGRESS: 'GROUP_STALE',
  INCONSISTENT_GROUP_PROTOCOL: 'GROUP_INCOMPATIBLE',
  NON_EMPTY_GROUP: 'GROUP_BUSY',
}

const SUGGESTIONS_BY_CODE: Partial<Record<ErrorCode, readonly string[]>> = {
  TOPIC_UNKNOWN: ['check the spelling of the topic', 'create the topic, or ask whoever runs the brokers to'],
  NOT_AUTHORISED: ['ask whoever runs the brokers for the ACL that is missing'],
  AUTHENTICATION_FAILED: [
    'check the SASL mechanism, user name and password (or token)',
    'check that the port is one that does SASL',
  ],
  MESSAGE_TOO_LARGE: ['choose a smaller chunk size', "raise the topic's max.message.bytes"],
  GROUP_FENCED: ['give each process of the group an instance id of its own'],
  GROUP_INCOMPATIBLE: ['choose another group: this one is used by another kind of consumer'],
  GROUP_BUSY: ['stop the members of the group first'],
}

const PLAIN_WORDS: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'the topic does not exist',
  INVALID_TOPIC_EXCEPTION: 'this cannot be the name of a topic',
}

function translateProtocol(failure: ProtocolFailure, context: FailureContext): StreamtoolError {
  // What may heal by waiting has been waited for before it gets here.
  const code = CODES_BY_TYPE[failure.type] ?? (failure.retriable ? 'BROKER_UNREACHABLE' : 'BROKER_REFUSED')
  const what = failure.detail ?? PLAIN_WORDS[failure.type] ?? failure.message
  return new StreamtoolError(code, `${subjectOf(context)}: ${what}`, {
    suggestions: SUGGESTIONS_BY_CODE[code] ?? [],
    facts: {...factsOf(context), kafkaError: failure.type, kafkaErrorCode: failure.code},
    cause: failure,
  })
}

const CODES_BY_KIND: Readonly<Record<TransportFailureKind, ErrorCode>> = {
  unreachable: 'BROKER_UNREACHABLE',
  lost: 'BROKER_UNREACHABLE',
  timeout: 'BROKER_UNREACHABLE',
  closed: 'BROKER_UNREACHABLE',
  garbled: 'BROKER_UNREACHABLE',
  unsupported: 'BROKER_REFUSED',
  tls: 'TLS_FAILED',
  authentication: 'AUTHENTICATION_FAILED',
}

function translateTransport(failure: TransportFailure, context: FailureContext): StreamtoolError {
  const code = failure.wantsTls ? 'TLS_FAILED' : CODES_BY_KIND[failure.kind]
  const message =
    code === 'BROKER_UNREACHABLE'
      ? `cannot reach Kafka at ${context.addresses}: ${failure.message}`
      : failure.message
  return new StreamtoolError(code, message, {
    suggestions: suggestionsFor(failure, context),
    facts: {...factsOf(context), brokers: context.addresses, address: failure.address},
    cause: failure,
  })
}

function suggestionsFor(failure: TransportFailure, context: FailureContext): readonly string[] {
  if (failure.wantsTls) return ['switch TLS on for this broker']
  switch (failure.kind) {
    case 'authentication':
      return SUGGESTIONS_BY_CODE.AUTHENTICATION_FAILED ?? []
    case 'tls':
      return [
        "check that the certificate authority of the broker's certificate is among those that are trusted here",
        'give a client certificate and its key if the broker asks for one',
        'check that the port is one that speaks TLS',
      ]
    case 'unsupported':
      return ['use a broker of Kafka 2.0 or later']
    case 'closed':
      return []
    case 'unreachable':
    case 'lost':
    case 'timeout':
    case 'garbled':
      return unreachableSuggestions(failure, context)
  }
}

function unreachableSuggestions(failure: TransportFailure, context: FailureContext): readonly string[] {
  const named = context.addresses.split(', ')
  const isAdvertised = failure.address.split(', ').some((address) => !named.includes(address))
  if (isAdvertised) {
    return [
      `the cluster names its brokers ${failure.address}: this host must be able to reach them under these names`,
      'look at advertised.listeners of the brokers',
    ]
  }
  const closedByBroker = failure.systemCode === null || failure.systemCode === 'ECONNRESET'
  return [
    'check that a Kafka broker listens there and that no firewall is between',
    ...(closedByBroker ? ['a broker that closes the connection may want TLS, or SASL, or neither'] : []),
    'for trying out: streamtool sandbox',
  ]
}

function subjectOf({topic, partition, groupId, addresses}: FailureContext): string {
  if (topic !== undefined)
    return partition === undefined ? `topic ${topic}` : `topic ${topic}, partition ${partition}`
  return groupId === undefined ? `Kafka at ${addresses}` : `group ${groupId}`
}

function factsOf({topic, partition, groupId}: FailureContext): Record<string, string | number> {
  return {
    ...(topic === undefined ? {} : {topic}),
    ...(partition === undefined ? {} : {partition}),
    ...(groupId === undefined ? {} : {groupId}),
  }
}
