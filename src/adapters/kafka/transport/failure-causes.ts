/** Tells from what a socket or kafkajs threw, and from how far the handshake had come, what is wrong. */
import type {BrokerAddress} from '../settings.js'
import {TransportFailure} from './failures.js'

export type HandshakePhase = 'dialling' | 'tls' | 'versions' | 'authentication' | 'open'

const PHASE_TEXT: Record<HandshakePhase, string> = {
  dialling: 'connecting',
  tls: 'the TLS handshake',
  versions: 'asking its versions',
  authentication: 'the SASL authentication',
  open: 'use',
}

/** Node's and OpenSSL's codes for a peer whose certificate or protocol is refused, by either side. */
const TLS_CODE =
  /^(ERR_SSL_|ERR_TLS_|ERR_OSSL_|CERT_|CRL_|EPROTO$|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERROR_IN_CERT|HOSTNAME_MISMATCH|INVALID_)/
/** The broker answered, and the answer was no. */
const REFUSALS = ['KafkaJSSASLAuthenticationError', 'KafkaJSProtocolError']
const TLS_FRAME = /starts with 150[0-9a-f]{5}/

export const addressText = ({host, port}: BrokerAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

export function handshakeFailure(
  address: string,
  phase: HandshakePhase,
  cause: unknown,
  timeoutMs?: number,
): TransportFailure {
  const reason = reasonOf(cause)
  const during = `${address}, during ${PHASE_TEXT[phase]}`
  if (timeoutMs !== undefined) {
    return new TransportFailure('unreachable', address, `no answer from ${during}, within ${timeoutMs} ms`)
  }
  if (isTlsCause(cause)) return new TransportFailure('tls', address, `${during}: ${reason}`, cause)
  if (isGarbled(cause)) return garbledFailure(address, cause)
  if (phase === 'authentication' && REFUSALS.includes(nameOf(cause))) {
    return new TransportFailure('authentication', address, `${address}: ${reason}`)
  }
  if (nameOf(cause) === 'KafkaJSServerDoesNotSupportApiKey') {
    return new TransportFailure('unsupported', address, `${during}: ${reason}`, cause)
  }
  return new TransportFailure('unreachable', address, `${during}: ${reason}`, cause)
}

export function lostFailure(address: string, cause: unknown): TransportFailure {
  if (isGarbled(cause)) return garbledFailure(address, cause)
  return new TransportFailure('lost', address, `lost the connection to ${address}: ${reasonOf(cause)}`, cause)
}

export function garbledFailure(address: string, cause: unknown): TransportFailure {
  const message = TLS_FRAME.test(reasonOf(cause))
    ? `${address} answers in TLS, and TLS is not switched on here`
    : `${address} does not answer in Kafka's protocol: ${reasonOf(cause)}`
  return new TransportFailure('garbled', address, message, cause)
}

const isGarbled = (cause: unknown): boolean => cause instanceof RangeError
const isTlsCause = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && TLS_CODE.test(String(cause.code))
const nameOf = (cause: unknown): string => (cause instanceof Error ? cause.name : '')

function reasonOf(cause: unknown): string {
  // Happy Eyeballs: no address of the name answered, and the outer message is empty.
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(reasonOf).join(', ')
  // OpenSSL: its message is a line of numbers and file names around the reason.
  if (cause instanceof Error && 'reason' in cause && typeof cause.reason === 'string') return cause.reason
  return cause instanceof Error ? cause.message : String(cause)
}
