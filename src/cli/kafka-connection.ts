/** How the settings of a command become a connection: TLS and SASL as Node and the Kafka adapter take them. */
import {readFile} from 'node:fs/promises'
import {StreamtoolError} from '../core/errors.js'
import type {kafkaSettings, securitySettings} from './settings/groups/kafka.js'
import {isPemText} from './settings/schema.js'
import {flagName, keyName, type Values, variableName} from './settings/setting.js'

export type ConnectionValues = Values<typeof kafkaSettings & typeof securitySettings>

export interface Connection {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly outageToleranceMs: number
  /** How long brokers that were never there are waited for; absent: a few seconds. */
  readonly firstConnectionMs?: number
  readonly ssl?: TlsOptions
  readonly sasl?: SaslOptions
}

export interface SaslOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
  readonly rejectUnauthorized: boolean
  readonly checkServerIdentity?: () => undefined
}

/** @throws SETTING_INVALID, SETTING_MISSING */
export async function connectionOf(values: ConnectionValues): Promise<Connection> {
  const ssl = await tlsOf(values)
  const sasl = saslOf(values)
  return {
    brokers: values.brokers,
    clientId: values.clientId,
    outageToleranceMs: values.outageTolerance,
    ...(ssl === null ? {} : {ssl}),
    ...(sasl === null ? {} : {sasl}),
  }
}

async function tlsOf(values: ConnectionValues): Promise<TlsOptions | null> {
  const {tls, tlsCa, tlsCert, tlsKey, tlsKeyPassword, tlsVerify} = values
  const implied = tlsCa !== undefined || tlsCert !== undefined || tlsKey !== undefined
  if (!(tls ?? implied)) return null
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw missing(
      tlsCert === undefined ? 'tlsCert' : 'tlsKey',
      'a client certificate and its key go together',
    )
  const [ca, cert, key] = await Promise.all([
    pemText('tlsCa', tlsCa),
    pemText('tlsCert', tlsCert),
    pemText('tlsKey', tlsKey),
  ])
  return {
    ...(ca === undefined ? {} : {ca}),
    ...(cert === undefined ? {} : {cert}),
    ...(key === undefined ? {} : {key}),
    ...(tlsKeyPassword === undefined ? {} : {passphrase: tlsKeyPassword.reveal()}),
    rejectUnauthorized: tlsVerify !== 'none',
    ...(tlsVerify === 'ca' ? {checkServerIdentity: () => undefined} : {}),
  }
}

async function pemText(name: string, given: string | undefined): Promise<string | undefined> {
  if (given === undefined || isPemText(given)) return given
  const text = await readFile(given, 'utf8').catch((error: unknown) => {
    throw new StreamtoolError('SETTING_INVALID', `The file of ${flagName(name)} cannot be read: ${given}`, {
      cause: error,
    })
  })
  if (text.includes('-----BEGIN')) return text
  throw new StreamtoolError('SETTING_INVALID', `The file of ${flagName(name)} is not PEM: ${given}`, {
    suggestions: ['Convert it, for example: openssl x509 -in FILE -out FILE.pem'],
  })
}

function saslOf({saslMechanism, saslUsername, saslPassword}: ConnectionValues): SaslOptions | null {
  if (saslMechanism === undefined && saslUsername === undefined && saslPassword === undefined) return null
  if (saslUsername === undefined) throw missing('saslUsername', 'SASL needs a user name')
  if (saslPassword === undefined) throw missing('saslPassword', 'SASL needs a password')
  return {mechanism: saslMechanism ?? 'plain', username: saslUsername, password: saslPassword.reveal()}
}

function missing(name: string, why: string): StreamtoolError {
  return new StreamtoolError('SETTING_MISSING', `${keyName(name)} was given nowhere: ${why}.`, {
    suggestions: [
      `Give ${flagName(name)}, or set ${variableName(name)}, or write \`${keyName(name)}\` in streamtool.config.yaml.`,
    ],
  })
}
