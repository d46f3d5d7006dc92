/**
 * How to reach a Kafka cluster. Everything that kafkajs can do about TLS and SASL is here; the shapes are the
 * project's own, so that no other layer knows kafkajs.
 */
import type {ConnectionOptions as TlsConnectionOptions} from 'node:tls'

export interface KafkaSettings {
  /** `host:port` each; `[::1]:9092` for IPv6. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** `true` is TLS with Node's own certificate authorities. */
  readonly ssl?: boolean | TlsSettings
  readonly sasl?: SaslSettings
  /** How long an outage is waited out once the cluster had been reached. Default 5 minutes. */
  readonly outageToleranceMs?: number
  /** How long the first connection is tried for before BROKER_UNREACHABLE. Default 10 s. */
  readonly firstConnectionMs?: number
  /** One connection attempt: TCP, TLS, version exchange and authentication. Default 10 s. */
  readonly connectTimeoutMs?: number
  /** A request without an answer for this long counts as a lost connection. Default 30 s. */
  readonly requestTimeoutMs?: number
}

/** PEM text or DER bytes, as Node's TLS takes them. */
export type TlsSettings = Pick<
  TlsConnectionOptions,
  | 'ca'
  | 'cert'
  | 'key'
  | 'pfx'
  | 'passphrase'
  | 'servername'
  | 'rejectUnauthorized'
  | 'checkServerIdentity'
  | 'ciphers'
  | 'minVersion'
  | 'maxVersion'
>

export type SaslSettings =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      /** Called at each authentication, so that an expired token is replaced. */
      readonly oauthBearerProvider: () => Promise<{
        readonly value: string
        readonly extensions?: Readonly<Record<string, string>>
      }>
    }
  | {
      readonly mechanism: 'aws'
      readonly authorizationIdentity: string
      readonly accessKeyId: string
      readonly secretAccessKey: string
      readonly sessionToken?: string
    }

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

export const DEFAULT_OUTAGE_TOLERANCE_MS = 300_000
export const DEFAULT_FIRST_CONNECTION_MS = 10_000
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000
export const DEFAULT_REQUEST_TIMEOUT_MS = 30_000
