/**
 * How every call to the store is made: again while that may help, with full jitter, and no more at once than the store
 * bears. A lost reply may mean that a call took effect, which `onDoubt` tells. What passes only by waiting, or not at all,
 * is thrown.
 */
import type {S3Client} from '@aws-sdk/client-s3'
import {type AdaptiveLimit, isAborted, pauseAfter} from '../../core/flow/index.js'
import type {Clock} from '../../core/ports/index.js'
import type {ChecksumName} from './checksum.js'
import type {RenewingCredentials} from './credentials.js'
import type {CustomerKeyFields} from './customer-key.js'
import {failureOf, type Remedy} from './store-errors.js'

/** So often a call is tried before whoever made it waits for the end of an outage. */
const ATTEMPTS = 5
const BASE_MS: Readonly<Record<Remedy, number>> = {later: 100, slower: 1000, credentials: 50, again: 50}
const LONGEST_MS = 20_000
/** What does not mend itself by being tried often. */
const ATTEMPTS_FOR: Readonly<Partial<Record<Remedy, number>>> = {credentials: 2, again: 3}

export interface CallOptions {
  readonly signal?: AbortSignal
  /** An attempt failed; it may have taken effect all the same. */
  readonly onDoubt?: () => void
  /** So often it is tried at most. */
  readonly attempts?: number
}

/** How the store is given proof of what it is sent. */
export interface ChecksumUse {
  readonly name: ChecksumName
  /** It comes with each body; an MD5 otherwise, which every store knows. */
  readonly perRequest: boolean
  /** That of the whole object comes with Complete. */
  readonly wholeObject: boolean
}

/** What requests have in common: which bucket, whose it must be, who pays. */
interface CommonFields {
  readonly RequestPayer?: 'requester'
  readonly ExpectedBucketOwner?: string
}

export interface StoreCallsParts {
  readonly s3: S3Client
  readonly bucket: string
  readonly common: CommonFields
  /** Of every request that reads or writes content; nothing unless it is encrypted with a key of the user. */
  readonly customerKey: CustomerKeyFields
  readonly credentials: RenewingCredentials | null
  readonly limit: AdaptiveLimit
  readonly clock: Clock
}

type Request<T> = (
  s3: S3Client,
  common: CommonFields & {Bucket: string},
  send: {abortSignal?: AbortSignal},
) => Promise<T>

export class StoreCalls {
  checksums: ChecksumUse = {name: 'CRC32', perRequest: true, wholeObject: true}

  constructor(readonly parts: StoreCallsParts) {}

  get customerKey(): CustomerKeyFields {
    return this.parts.customerKey
  }

  /** @param doing to be read after "The store … (": `writing` */
  async make<T>(
    doing: string,
    key: string | null,
    {signal, onDoubt, attempts = ATTEMPTS}: CallOptions,
    request: Request<T>,
  ): Promise<T> {
    const {s3, bucket, common, credentials, limit, clock} = this.parts
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted()
      const used = credentials?.current ?? null
      try {
        return await limit.run(
          () => request(s3, {Bucket: bucket, ...common}, signal === undefined ? {} : {abortSignal: signal}),
          (thrown) => failureOf(thrown, doing, {}).remedy === 'slower',
          signal,
        )
      } catch (thrown) {
        if (signal !== undefined && isAborted(signal)) throw signal.reason
        const what = key === null ? doing : `${doing} ${key}`
        const {error, remedy} = failureOf(thrown, what, {bucket, ...(key === null ? {} : {key})})
        onDoubt?.()
        if (remedy === 'credentials') credentials?.expire(used)
        if (remedy === null || attempt >= Math.min(attempts, ATTEMPTS_FOR[remedy] ?? ATTEMPTS)) throw error
        const mostMs = pauseAfter(attempt, {initialMs: BASE_MS[remedy], maxMs: LONGEST_MS})
        await clock.sleep(Math.random() * mostMs, signal)
      }
    }
  }
}
