/** What a request says of its own signature: in the header Authorization, or in the query of a presigned URL. */
import type {IncomingHttpHeaders} from 'node:http'
import {S3Error} from '../errors.js'
import type {Query} from '../target.js'

export interface SignatureClaim {
  readonly accessKeyId: string
  /** YYYYMMDD */
  readonly day: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  /** In lower-case hex. */
  readonly signature: string
  /** YYYYMMDDTHHMMSSZ */
  readonly time: string
  readonly sessionToken: string | undefined
  /** Of a presigned URL, how long it is good for. */
  readonly expiresS: number | null
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
const LONGEST_PRESIGNED_S = 604_800
const CREDENTIAL = /^([^/\s]{1,128})\/(\d{8})\/([a-z0-9-]{1,32})\/([a-z0-9-]{1,16})\/aws4_request$/
const TIME = /^\d{8}T\d{6}Z$/

/** @throws S3Error AccessDenied when there is none, and what S3 answers to a malformed one */
export function readClaim(headers: IncomingHttpHeaders, query: Query): SignatureClaim {
  if (headers.authorization !== undefined) return claimInHeader(headers.authorization, headers)
  if (query.has('X-Amz-Signature') || query.has('X-Amz-Algorithm')) return claimInQuery(query)
  if (query.has('Signature')) throw unsupported()
  throw new S3Error('AccessDenied')
}

function claimInHeader(authorization: string, headers: IncomingHttpHeaders): SignatureClaim {
  if (!authorization.startsWith(`${ALGORITHM} `)) throw unsupported()
  const fields = new Map(
    authorization
      .slice(ALGORITHM.length)
      .split(',')
      .map((field): [string, string] => {
        const equals = field.indexOf('=')
        return [field.slice(0, Math.max(equals, 0)).trim(), field.slice(equals + 1).trim()]
      }),
  )
  const time = headers['x-amz-date'] ?? ''
  if (typeof time !== 'string' || !TIME.test(time))
    throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header')
  const malformed = (message: string) => new S3Error('AuthorizationHeaderMalformed', message)
  return {
    ...credential(fields.get('Credential'), malformed),
    ...signed(fields.get('SignedHeaders'), fields.get('Signature'), malformed),
    time,
    sessionToken: one(headers['x-amz-security-token']),
    expiresS: null,
  }
}

function claimInQuery(query: Query): SignatureClaim {
  const malformed = (message: string) => new S3Error('AuthorizationQueryParametersError', message)
  if (query.get('X-Amz-Algorithm') !== ALGORITHM)
    throw malformed(`X-Amz-Algorithm only supports "${ALGORITHM}"`)
  const time = query.get('X-Amz-Date') ?? ''
  if (!TIME.test(time))
    throw malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
  const expires = query.get('X-Amz-Expires') ?? ''
  if (!/^\d{1,6}$/.test(expires) || Number(expires) < 1 || Number(expires) > LONGEST_PRESIGNED_S)
    throw malformed('X-Amz-Expires must be a number of seconds between 1 and 604800')
  return {
    ...credential(query.get('X-Amz-Credential'), malformed),
    ...signed(query.get('X-Amz-SignedHeaders'), query.get('X-Amz-Signature'), malformed),
    time,
    sessionToken: query.get('X-Amz-Security-Token'),
    expiresS: Number(expires),
  }
}

function credential(text: string | undefined, malformed: (message: string) => S3Error) {
  const [, accessKeyId, day, region, service] = CREDENTIAL.exec(text ?? '') ?? []
  if (accessKeyId === undefined || day === undefined || region === undefined || service === undefined)
    throw malformed('The Credential must be "<access key>/YYYYMMDD/REGION/SERVICE/aws4_request".')
  return {accessKeyId, day, region, service}
}

function signed(
  headers: string | undefined,
  signature: string | undefined,
  malformed: (message: string) => S3Error,
) {
  const signedHeaders = (headers ?? '').split(';')
  if (signedHeaders.length > 200 || signedHeaders.some((name) => !/^[!-:<-~]{1,256}$/.test(name)))
    throw malformed('SignedHeaders must be the names of headers with semicolons between.')
  if (!/^[0-9a-f]{64}$/.test(signature ?? '')) throw malformed('The Signature must be 64 hexadecimal digits.')
  return {signedHeaders, signature: signature ?? ''}
}

const one = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)

const unsupported = () =>
  new S3Error(
    'InvalidRequest',
    `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
  )
