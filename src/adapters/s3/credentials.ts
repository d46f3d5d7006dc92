/**
 * Who we are to the store: what was said explicitly, else the chain of the AWS SDK (environment, SSO, profiles,
 * processes, web identity, containers, instance metadata). A role is assumed with what that finds.
 *
 * Credentials that expire are renewed before they do, also those that live for a minute only. Those that the store
 * calls expired, whatever they say of themselves, are asked for anew: files and environments are rotated too.
 */
import type {AwsCredentialIdentity} from '@aws-sdk/types'
import {StreamtoolError} from '../../core/errors.js'
import {credentialProviders} from './sdk.js'

export interface CredentialOptions {
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
  readonly profile?: string
  readonly roleArn?: string
  readonly region?: string
}

export type CredentialSource = (options: {forceRefresh: boolean}) => Promise<AwsCredentialIdentity>

export interface RenewingCredentials {
  (): Promise<AwsCredentialIdentity>
  /** Tells the SDK that keeping them is taken care of. */
  readonly memoized: true
  /** The store did not take them: the next request asks for new ones. */
  expire(used: AwsCredentialIdentity | null): void
  readonly current: AwsCredentialIdentity | null
}

/** So long before they expire new ones are asked for, and at most a fifth of their life. */
const RENEW_BEFORE_MS = 5 * 60_000

export function renewing(source: CredentialSource, nowMs: () => number): RenewingCredentials {
  let current: AwsCredentialIdentity | null = null
  let renewAtMs = Infinity
  let pending: Promise<AwsCredentialIdentity> | null = null
  let isStale = false

  const renew = async (): Promise<AwsCredentialIdentity> => {
    try {
      const fresh = await source({forceRefresh: current !== null})
      const expiresMs = fresh.expiration?.getTime() ?? Infinity
      renewAtMs = expiresMs - Math.min(RENEW_BEFORE_MS, Math.max(0, expiresMs - nowMs()) / 5)
      isStale = false
      return (current = fresh)
    } catch (thrown) {
      // What is there may still be good.
      const lives = current !== null && !isStale && (current.expiration?.getTime() ?? Infinity) > nowMs()
      if (current !== null && lives) return current
      throw thrown
    } finally {
      pending = null
    }
  }

  const provide = async (): Promise<AwsCredentialIdentity> => {
    if (current !== null && !isStale && nowMs() < renewAtMs) return current
    return (pending ??= renew())
  }
  return Object.defineProperties(
    Object.assign(provide, {
      memoized: true as const,
      expire(used: AwsCredentialIdentity | null) {
        if (used === null || used === current) isStale = true
      },
      current: null as AwsCredentialIdentity | null,
    }),
    {current: {get: () => current}},
  )
}

/** @throws SETTING_INVALID */
export function credentialSource(options: CredentialOptions): CredentialSource {
  const {accessKeyId, secretAccessKey, sessionToken, profile, roleArn, region} = options
  const clientConfig = region === undefined ? {} : {clientConfig: {region}}
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw new StreamtoolError(
      'SETTING_INVALID',
      'An access key has two parts: --access-key-id and --secret-access-key.',
    )
  const base =
    accessKeyId !== undefined && secretAccessKey !== undefined
      ? () =>
          Promise.resolve({
            accessKeyId,
            secretAccessKey,
            ...(sessionToken === undefined ? {} : {sessionToken}),
          })
      : (refresh: {forceRefresh: boolean}) =>
          // A new chain each time: parts of it keep what they have found.
          credentialProviders().fromNodeProviderChain({
            ...(profile === undefined ? {} : {profile}),
            ...clientConfig,
            ...(refresh.forceRefresh ? {ignoreCache: true} : {}),
          })()
  if (roleArn === undefined) return base
  return (refresh) =>
    credentialProviders().fromTemporaryCredentials({
      params: {RoleArn: roleArn, RoleSessionName: `streamtool-${process.pid}`},
      masterCredentials: () => base(refresh),
      ...clientConfig,
    })()
}
