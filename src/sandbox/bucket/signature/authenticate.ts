/** Who sent a request: nobody, unless signature, time, region and signed headers are as S3 wants them. */
import type {IncomingMessage} from 'node:http'
import {S3Error} from '../errors.js'
import type {Target} from '../target.js'
import {readClaim, type SignatureClaim} from './claim.js'
import {canonicalRequest, sameSignature, signatureOf, type SigningKey, signingKey} from './signature.js'

export interface Account {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string
  /** From when on these are answered with ExpiredToken, in ms since 1970. */
  readonly expiresMs?: number
}

/** What the body must agree with. */
export interface Authenticated {
  /** The header x-amz-content-sha256; UNSIGNED-PAYLOAD for a presigned URL. */
  readonly payloadHash: string
  readonly signing: SigningKey
  readonly time: string
  /** That of the headers: where the chain of the chunks' signatures begins. */
  readonly signature: string
}

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'
const LARGEST_SKEW_MS = 15 * 60_000

export interface AuthenticationRules {
  readonly region: string
  readonly findAccount: (accessKeyId: string) => Account | undefined
  readonly nowMs: number
}

/** @throws S3Error as S3 answers */
export function authenticate(
  message: IncomingMessage,
  target: Target,
  {region, findAccount, nowMs}: AuthenticationRules,
): Authenticated {
  const claim = readClaim(message.headers, target.query)
  checkScope(claim, region)
  const account = findAccount(claim.accessKeyId)
  if (account === undefined)
    throw new S3Error('InvalidAccessKeyId', undefined, {AWSAccessKeyId: claim.accessKeyId})
  checkSessionToken(account, claim, nowMs)
  checkTime(claim, nowMs)
  checkSignedHeaders(message, claim)

  const payloadHash = claim.expiresS === null ? requiredPayloadHash(message) : UNSIGNED_PAYLOAD
  const signing = signingKey(account.secretAccessKey, claim)
  const canonical = canonicalRequest(message, target, claim, payloadHash)
  if (!sameSignature(claim.signature, signatureOf(signing, claim.time, canonical)))
    throw new S3Error('SignatureDoesNotMatch', undefined, {
      AWSAccessKeyId: claim.accessKeyId,
      SignatureProvided: claim.signature,
      CanonicalRequest: canonical,
    })
  return {payloadHash, signing, time: claim.time, signature: claim.signature}
}

function checkScope({region, service, day, time}: SignatureClaim, expected: string): void {
  const malformed = (message: string, details = {}) =>
    new S3Error('AuthorizationHeaderMalformed', `The authorization header is malformed; ${message}`, details)
  if (region !== expected)
    throw malformed(`the region '${region}' is wrong; expecting '${expected}'`, {Region: expected})
  if (service !== 's3') throw malformed(`incorrect service "${service}". This endpoint belongs to "s3".`)
  if (!time.startsWith(day)) throw malformed('Invalid credential date. Date is not the same as X-Amz-Date.')
}

function checkSessionToken(account: Account, {sessionToken}: SignatureClaim, nowMs: number): void {
  if (account.sessionToken !== sessionToken) throw new S3Error('InvalidToken')
  if (account.expiresMs !== undefined && nowMs >= account.expiresMs) throw new S3Error('ExpiredToken')
}

function checkTime({time, expiresS}: SignatureClaim, nowMs: number): void {
  const signedMs = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (Number.isNaN(signedMs)) throw new S3Error('AccessDenied', 'The date of the signature is not valid')
  if (expiresS !== null) {
    if (signedMs - LARGEST_SKEW_MS > nowMs) throw new S3Error('AccessDenied', 'Request is not valid yet')
    if (signedMs + expiresS * 1000 < nowMs) throw new S3Error('AccessDenied', 'Request has expired')
  } else if (Math.abs(signedMs - nowMs) > LARGEST_SKEW_MS) {
    throw new S3Error('RequestTimeTooSkewed', undefined, {
      RequestTime: time,
      ServerTime: new Date(nowMs).toISOString(),
      MaxAllowedSkewMilliseconds: LARGEST_SKEW_MS,
    })
  }
}

function checkSignedHeaders(message: IncomingMessage, {signedHeaders}: SignatureClaim): void {
  const unsigned = Object.keys(message.headers).filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signedHeaders.includes(name),
  )
  if (unsigned.length > 0)
    throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned.join(', '),
    })
}

function requiredPayloadHash(message: IncomingMessage): string {
  const hash = message.headers['x-amz-content-sha256']
  if (typeof hash === 'string') return hash
  throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256')
}
