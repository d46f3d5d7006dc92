/** What an object store answered, or did not, as one of the error family. */
import {type ErrorCode, StreamtoolError} from '../../core/errors.js'

/**
 * What a store refused for a reason that concerns one object and that the protocol of writing it must know:
 *
 *     taken       412: the condition of a conditional write does not hold
 *     conflict    409: somebody else is writing the same key
 *     no-upload   404: the multipart upload is over, one way or the other
 *     absent      404: there is no such object
 *     corrupted   400: what arrived is not what was sent
 *     unsupported 501: the store does not know what was asked of it
 *     other       anything else: the key, the size, a setting
 */
export type Refusal = 'taken' | 'conflict' | 'no-upload' | 'absent' | 'corrupted' | 'unsupported' | 'other'

const CODE_OF: Readonly<Record<Refusal, ErrorCode>> = {
  taken: 'OBJECT_CONFLICT',
  conflict: 'OBJECT_CONFLICT',
  'no-upload': 'OBJECT_CONFLICT',
  absent: 'OBJECT_REFUSED',
  corrupted: 'OBJECT_CORRUPTED',
  unsupported: 'OBJECT_REFUSED',
  other: 'OBJECT_REFUSED',
}

export class ObjectRefused extends StreamtoolError {
  constructor(
    readonly refusal: Refusal,
    message: string,
    details: ConstructorParameters<typeof StreamtoolError>[2],
  ) {
    super(CODE_OF[refusal], message, details)
  }
}

export function isRefusal(thrown: unknown, ...refusals: readonly Refusal[]): thrown is ObjectRefused {
  return thrown instanceof ObjectRefused && refusals.includes(thrown.refusal)
}

/** Why a failed call may go better the next time. */
export type Remedy = 'later' | 'slower' | 'credentials' | 'again'

export interface Failure {
  readonly error: StreamtoolError
  readonly remedy: Remedy | null
}

const NETWORK = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'EHOSTDOWN', 'ENETDOWN', 'UND_ERR_SOCKET', 'ERR_STREAM_PREMATURE_CLOSE'],
  ...['HPE_INVALID_CONSTANT', 'ERR_SSL_WRONG_VERSION_NUMBER'],
])
const TIMEOUTS = new Set(['TimeoutError', 'RequestTimeout', 'RequestTimeoutException', 'NetworkingError'])
const SLOW_DOWN = new Set([
  ...['SlowDown', 'SlowDownRead', 'SlowDownWrite', 'Throttling', 'ThrottlingException', 'TooManyRequests'],
  ...['RequestLimitExceeded', 'BandwidthLimitExceeded', 'EC2ThrottledException', 'TooManyRequestsException'],
])
const STALE_CREDENTIALS = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'])
const BAD_CREDENTIALS = new Set([
  ...['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'UnrecognizedClientException'],
  ...['CredentialsProviderError', 'TokenProviderError', 'InvalidClientTokenId', 'NotSignedUp'],
  'AuthorizationHeaderMalformed',
])
const FORBIDDEN = new Set([
  ...['AccessDenied', 'AllAccessDisabled', 'AccountProblem', 'InvalidPayer', 'Forbidden'],
  ...['AccessDeniedException', 'InvalidObjectState', 'AccountSuspended'],
])
const CORRUPTED = new Set([
  ...['BadDigest', 'XAmzContentSHA256Mismatch', 'InvalidDigest', 'ContentSHA256Mismatch', 'IncompleteBody'],
  ...['XAmzContentChecksumMismatch', 'ChecksumMismatch'],
])
/** 409 of stores on a file system, where `a` and `a/b` cannot both be: versitygw, MinIO. */
const PATH_TAKEN = new Set([
  ...['ObjectParentIsFile', 'ExistingObjectIsDirectory'],
  ...['XMinioObjectExistsAsDirectory', 'XMinioParentIsObject'],
])
const UNSUPPORTED = new Set(['NotImplemented', 'UnsupportedOperation'])

/** An answer to HEAD has no body, so it does not say whether it is about us (expired, skewed) or about the object. */
const NAMELESS = new Set(['Unknown', 'UnknownError'])

interface Answer {
  readonly name: string
  readonly status: number | null
  readonly message: string
  readonly errno: string | null
  /** As HTTP writes it. */
  readonly serverTime: string | null
}

/**
 * @param doing to be read after "The store … while": `writing files/a.dat`
 * @param place what it happened to
 */
export function failureOf(thrown: unknown, doing: string, place: Readonly<Record<string, string>>): Failure {
  const answer = answerOf(thrown)
  const {name, status} = answer
  const isNameless = NAMELESS.has(name)
  const facts = {...place, answer: name, ...(status === null ? {} : {status})}
  const error = (code: ErrorCode, says: string, ...suggestions: string[]) =>
    new StreamtoolError(code, `${says} (${doing}).`, {facts, suggestions, cause: thrown})
  const refused = (refusal: Refusal, says: string, ...suggestions: string[]): Failure => ({
    error: new ObjectRefused(refusal, `${says} (${doing}).`, {facts, suggestions, cause: thrown}),
    remedy: refusal === 'corrupted' ? 'again' : null,
  })

  if (
    SLOW_DOWN.has(name) ||
    status === 429 ||
    (status === 503 && (name === 'ServiceUnavailable' || isNameless))
  )
    return {
      error: error('STORE_UNREACHABLE', `The store asks for fewer requests: ${name}`, REACH),
      remedy: 'slower',
    }
  if (name === 'NoSuchBucket' || name === 'InvalidBucketName')
    return {
      error: error('BUCKET_UNKNOWN', `There is no bucket ${place['bucket'] ?? ''}`, ...BUCKET),
      remedy: null,
    }
  if (STALE_CREDENTIALS.has(name))
    return {
      error: error('STORE_CREDENTIALS', `The credentials have expired: ${name}`, ...CREDENTIALS),
      remedy: 'credentials',
    }
  if (BAD_CREDENTIALS.has(name))
    return {
      error: error('STORE_CREDENTIALS', `The credentials do not work: ${words(answer)}`, ...CREDENTIALS),
      // Keys that were replaced a moment ago are read anew once.
      remedy: 'credentials',
    }
  if (name === 'RequestTimeTooSkewed')
    return {
      error: error(
        'STORE_CREDENTIALS',
        `This machine's clock is too far from the store's${serverTimeWords(answer)}`,
        'Set the clock (`timedatectl status` tells whether it is kept right).',
      ),
      remedy: 'again',
    }
  if (FORBIDDEN.has(name) || name.startsWith('KMS') || status === 403)
    return {
      error: error('STORE_FORBIDDEN', `The store refuses: ${words(answer)}`, ...RIGHTS),
      // By then the SDK knows the store's clock, if that was it.
      remedy: isNameless ? 'credentials' : null,
    }
  if (name === 'PermanentRedirect' || status === 301)
    return {
      error: error('STORE_FORBIDDEN', 'The bucket is in another region', 'Name its region with --region.'),
      remedy: null,
    }
  if (name === 'NoSuchUpload') return refused('no-upload', 'The multipart upload is over')
  if (status === 412) return refused('taken', 'Another object has this key')
  if (status === 409 && PATH_TAKEN.has(name))
    return refused(
      'other',
      `The store keeps objects as files, and this key is below another, or above it: ${words(answer)}`,
      'Use a --key that has no key of a file as a directory of another: {topic}/{sha512}{ext}.',
    )
  if (status === 409) return refused('conflict', `Somebody else is writing this key: ${name}`)
  if (status === 404) return refused('absent', 'There is no such object')
  if (CORRUPTED.has(name))
    return refused(
      'corrupted',
      `What arrived at the store is not what was sent: ${words(answer)}`,
      'Look at what lies between here and the store: a proxy, memory, a network card.',
    )
  if (status === 501 || UNSUPPORTED.has(name))
    return refused('unsupported', `The store cannot do that: ${words(answer)}`)
  if (TIMEOUTS.has(name) || isOfTheNetwork(answer))
    return {
      error: error('STORE_UNREACHABLE', `The store cannot be reached: ${words(answer)}`, REACH),
      remedy: 'later',
    }
  if (answer.errno?.startsWith('ERR_INVALID_') === true)
    return refused('other', `A request cannot be made like that: ${words(answer)}`)
  // An error without a status of its own came with 200, or never was an answer.
  if (status === null || status >= 500 || status < 400)
    return {
      error: error('STORE_UNREACHABLE', `The store failed: ${words(answer)}`, REACH),
      remedy: 'later',
    }
  const refusal = refused('other', `The store refuses the object: ${words(answer)}`)
  return isNameless ? {...refusal, remedy: 'credentials'} : refusal
}

const REACH = 'It is tried again; look at the store, the network and --endpoint-url.'
const BUCKET = ['Check --bucket, --region and --endpoint-url.', 'Create the bucket.']
const CREDENTIALS = [
  'Name another profile with --profile, or renew the credentials (`aws sso login`, AWS_ACCESS_KEY_ID, …).',
]
const RIGHTS = [
  'docs/s3.md lists the rights that are needed.',
  'With encryption by a KMS key, its policy must allow kms:GenerateDataKey and kms:Decrypt.',
  'An object that was encrypted with another key (SSE-C) cannot be looked at: one prefix, one key.',
]

const serverTimeWords = ({serverTime}: Answer): string =>
  serverTime === null ? '' : `, where it is ${serverTime}`

const words = ({name, message, errno}: Answer): string => {
  const known = errno ?? (NAMELESS.has(name) ? '' : name)
  if (message === '' || message === 'UnknownError' || message.includes(known))
    return message || known || 'no reason'
  return known === '' ? message : `${known}, ${message}`
}

function answerOf(thrown: unknown): Answer {
  if (!(thrown instanceof Error))
    return {
      ...{name: 'Unknown', status: null, message: String(thrown)},
      ...{errno: null, serverTime: null},
    }
  const {$metadata, code, Code, $response} = thrown as Error & {
    $metadata?: {httpStatusCode?: number}
    $response?: {statusCode?: number; headers?: Readonly<Record<string, string>>}
    code?: unknown
    Code?: unknown
  }
  const name = typeof Code === 'string' && Code !== '' ? Code : thrown.name
  return {
    name,
    status: $metadata?.httpStatusCode ?? $response?.statusCode ?? null,
    message: thrown.message.split('\n', 1)[0] ?? '',
    errno: typeof code === 'string' ? code : null,
    serverTime: $response?.headers?.['date'] ?? null,
  }
}

const isOfTheNetwork = ({errno, name}: Answer): boolean =>
  (errno !== null && NETWORK.has(errno)) || NETWORK.has(name) || (errno?.startsWith('HPE_') ?? false)
