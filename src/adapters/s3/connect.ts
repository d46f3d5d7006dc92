/** A client for one bucket: where it is, who we are there, and how patient we are. */
import type {S3ClientConfig} from '@aws-sdk/client-s3'
import {StreamtoolError} from '../../core/errors.js'
import {AdaptiveLimit} from '../../core/flow/index.js'
import type {Clock, Logger} from '../../core/ports/index.js'
import {BucketClient} from './bucket-client.js'
import {customerKeyFields, requirePrivate} from './customer-key.js'
import {type CredentialOptions, credentialSource, renewing} from './credentials.js'
import {endpointFor} from './endpoint.js'
import {S3Client} from './sdk.js'
import {leaveBodiesUnsigned} from './unsigned-bodies.js'

export interface BucketPlace extends CredentialOptions {
  readonly bucket: string
  readonly endpointUrl?: string
  /** `host/bucket/key` rather than `bucket.host/key`. */
  readonly pathStyle?: boolean
  readonly requesterPays?: boolean
  readonly expectedBucketOwner?: string
  /** 32 bytes with which the store encrypts, and which it forgets. */
  readonly customerKey?: Buffer
  /** Requests under way at once, at most. */
  readonly concurrency: number
  /** A request on which nothing moves for so long is given up, and made again. */
  readonly silenceMs: number
}

const CONNECT_MS = 10_000
/** With `info`, even one that drops everything, the SDK writes every request out for it: a seventh of its time. */
const QUIET: Partial<Logger> = {debug: ignore, warn: ignore, error: ignore}
/** Of stores that have none. */
const SOME_REGION = 'us-east-1'

export interface ConnectedBucket {
  readonly client: BucketClient
  /** As it is used, whatever layer named it; null for AWS itself. */
  readonly endpoint: string | null
}

/** @throws SETTING_INVALID, SETTING_MISSING */
export async function connectBucket(place: BucketPlace, clock: Clock): Promise<ConnectedBucket> {
  const {bucket, pathStyle, profile, region, concurrency, silenceMs} = place
  const endpointUrl = await endpointFor(place.endpointUrl, profile)
  // What versions of Node the SDK will want next year is no news for users of this program.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  const source = credentialSource(place)
  const credentials = renewing(source, () => clock.nowMs())
  const agent = {keepAlive: true, maxSockets: concurrency + 2}
  const config: S3ClientConfig = {
    credentials,
    // Every call is tried again by us, who know what it was about.
    maxAttempts: 1,
    // Checksums are sent that are ours.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    followRegionRedirects: true,
    logger: QUIET as Logger,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: silenceMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...(profile === undefined ? {} : {profile}),
    ...(region === undefined ? {} : {region}),
    ...(endpointUrl === undefined ? {} : {endpoint: endpointUrl}),
    ...(pathStyle === undefined ? {} : {forcePathStyle: pathStyle}),
  }
  const {s3, endpoint} = await withRegion(config)
  leaveBodiesUnsigned(s3)
  if (place.customerKey !== undefined) requirePrivate(endpoint)
  const client = new BucketClient({
    s3,
    bucket,
    common: {
      ...(place.requesterPays === true ? {RequestPayer: 'requester' as const} : {}),
      ...(place.expectedBucketOwner === undefined ? {} : {ExpectedBucketOwner: place.expectedBucketOwner}),
    },
    customerKey: customerKeyFields(place.customerKey),
    credentials,
    limit: new AdaptiveLimit(concurrency),
    clock,
  })
  return {client, endpoint}
}

/** Elsewhere than at AWS the region is only part of the signature, and bucket names are seldom host names. */
async function withRegion(config: S3ClientConfig): Promise<{s3: S3Client; endpoint: string | null}> {
  const s3 = new S3Client(config)
  const endpoint = await endpointOf(s3)
  const isElsewhere = endpoint !== null && !/(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname)
  const region = await s3.config.region().catch(() => null)
  if (region !== null && (!isElsewhere || config.forcePathStyle !== undefined)) return {s3, endpoint}
  s3.destroy()
  if (region === null && !isElsewhere)
    throw new StreamtoolError('SETTING_MISSING', 'The region of the bucket is not known.', {
      suggestions: ['Give --region eu-central-1, or set AWS_REGION, or name it in the profile.'],
    })
  const completed = {
    ...config,
    region: region ?? SOME_REGION,
    forcePathStyle: config.forcePathStyle ?? isElsewhere,
  }
  return {s3: new S3Client(completed), endpoint}
}

function ignore(): void {
  // What matters is told by whoever made the call.
}

async function endpointOf({config}: S3Client): Promise<string | null> {
  const endpoint = await config.endpoint?.()
  if (endpoint === undefined) return null
  const {protocol, hostname, port, path} = endpoint
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path === '/' ? '' : path}`
}
