/**
 * What can go wrong between this process and a broker, before it is translated for people (`../errors.ts`).
 * Layers inside the adapter decide by these what to try again; nothing of kafkajs's own error classes gets here.
 */

/** The broker answered with an error code. Names and codes: https://kafka.apache.org/protocol#protocol_error_codes */
export class ProtocolFailure extends Error {
  override readonly name = 'ProtocolFailure'
  readonly code: number
  /** The protocol's name of the code, e.g. `REBALANCE_IN_PROGRESS`. */
  readonly type: string
  readonly retriable: boolean
  /** JoinGroup answers MEMBER_ID_REQUIRED with the id to come back with. */
  readonly memberId: string | null
  /** What this side knows of it beyond the code. */
  readonly detail: string | null

  constructor(error: ProtocolError, {memberId, detail}: {memberId?: string; detail?: string} = {}) {
    super(`${error.type}: ${detail ?? error.message}`)
    this.code = error.code
    this.type = error.type
    this.retriable = error.retriable
    this.memberId = memberId ?? null
    this.detail = detail ?? null
  }
}

export interface ProtocolError {
  readonly code: number
  readonly type: string
  readonly message: string
  readonly retriable: boolean
}

/**
 * `unreachable`: no TCP connection · `tls`, `authentication`: the handshake failed · `lost`: the connection ended
 * while a request was out · `timeout`: no answer · `garbled`: an answer that is not Kafka's · `unsupported`: the
 * broker does not speak a version that is needed · `closed`: this side closed the cluster.
 */
export type TransportFailureKind =
  'unreachable' | 'tls' | 'authentication' | 'lost' | 'timeout' | 'garbled' | 'unsupported' | 'closed'

export class TransportFailure extends Error {
  override readonly name = 'TransportFailure'
  readonly kind: TransportFailureKind
  /** `host:port`, or several separated by commas when all of them were tried. */
  readonly address: string
  /** The system's code, e.g. `ECONNREFUSED`, where there is one; names and addresses are told apart by it. */
  readonly systemCode: string | null

  constructor(kind: TransportFailureKind, address: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : {cause})
    this.kind = kind
    this.address = address
    this.systemCode = systemCodeOf(cause)
  }

  /** The peer's first bytes were a TLS alert, and this side spoke plain text. */
  get wantsTls(): boolean {
    return this.kind === 'garbled' && this.message.includes('answers in TLS')
  }

  /** False for what waiting does not heal. */
  get retriable(): boolean {
    return this.kind === 'unreachable' || this.kind === 'lost' || this.kind === 'timeout'
  }
}

export const isRetriable = (error: unknown): boolean =>
  (error instanceof TransportFailure || error instanceof ProtocolFailure) && error.retriable

export const isProtocolFailure = (error: unknown, ...types: string[]): error is ProtocolFailure =>
  error instanceof ProtocolFailure && types.includes(error.type)

function systemCodeOf(cause: unknown): string | null {
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : null
  return typeof code === 'string' ? code : null
}
