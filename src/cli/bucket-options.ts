/** The settings of a bucket, checked against each other, as its adapter wants them. */
import {StreamtoolError} from '../core/errors.js'
import {
  type BucketOptions,
  LARGEST_PART_BYTES,
  MOST_ADDED_BYTES,
  SMALLEST_PART_BYTES,
} from './compose-bucket.js'
import type {s3TransferSettings} from './settings/catalog.js'
import {writeSize} from './settings/quantities.js'
import {keyName, type Values} from './settings/setting.js'

/** Of one object. */
const MOST_TAGS = 10
const METADATA_NAME = /^[A-Za-z0-9._-]{1,100}$/
const HEADER_VALUE = /^[\x20-\x7e]*$/

type S3TransferValues = Values<typeof s3TransferSettings>

/** @throws SETTING_INVALID */
export function bucketOptions(
  values: S3TransferValues,
  surroundings: Pick<BucketOptions, 'logger' | 'signal'>,
): BucketOptions {
  const {bucket, prefix = '', key, ifExists, partSize, requests, checksum, memory, topic} = values
  if (!/^[A-Za-z0-9][A-Za-z0-9._:/-]{1,2047}$/.test(bucket))
    throw invalid('--bucket', 'is not the name of a bucket, nor the ARN of an access point')
  if (partSize < SMALLEST_PART_BYTES || partSize > LARGEST_PART_BYTES)
    throw invalid(
      '--part-size',
      `must lie between ${writeSize(SMALLEST_PART_BYTES)} and ${writeSize(LARGEST_PART_BYTES)}`,
    )
  if (requests === 0) throw invalid('--requests', 'must be 1 or more')
  return {
    place: {bucket, concurrency: requests, silenceMs: values.requestTimeout, ...placeOf(values)},
    topic,
    prefix,
    key,
    ifExists,
    object: objectOf(values),
    partBytes: partSize,
    memoryBytes: memory,
    checksum: CHECKSUMS[checksum],
    customerKeyFile: values.sseCKeyFile,
    spillDir: values.spillDir,
    stateDir: values.stateDir,
    ...surroundings,
  }
}

function placeOf(values: S3TransferValues) {
  const {endpointUrl, pathStyle, region, profile, roleArn, accessKeyId} = values
  return given({
    endpointUrl,
    pathStyle,
    region,
    profile,
    roleArn,
    accessKeyId,
    secretAccessKey: values.secretAccessKey?.reveal(),
    sessionToken: values.sessionToken?.reveal(),
    requesterPays: values.requesterPays,
    expectedBucketOwner: values.expectedBucketOwner,
  })
}

function objectOf(values: S3TransferValues): BucketOptions['object'] {
  const {tag: tags = {}, metadata = {}, sse, sseKmsKeyId, objectLock, retainFor} = values
  if (Object.keys(tags).length > MOST_TAGS) throw invalid('--tag', `may be given ${MOST_TAGS} times at most`)
  if (Buffer.byteLength(Object.entries(metadata).flat().join('')) > MOST_ADDED_BYTES)
    throw invalid('--metadata', `may take ${MOST_ADDED_BYTES} bytes at most, names and values together`)
  for (const name of Object.keys(metadata))
    if (!METADATA_NAME.test(name))
      throw invalid('--metadata', `cannot have ${JSON.stringify(name)} as a name`)
  for (const key of HEADERS)
    if (!HEADER_VALUE.test(values[key] ?? ''))
      throw invalid(`--${keyName(key)}`, 'has a character that no HTTP header can have')
  if (sse === 'aes256' && sseKmsKeyId !== undefined)
    throw invalid('--sse', 'is aes256, which takes no --sse-kms-key-id')
  if (values.sseCKeyFile !== undefined && (sse !== undefined || sseKmsKeyId !== undefined))
    throw invalid('--sse-c-key-file', 'goes with neither --sse nor --sse-kms-key-id')
  if ((objectLock === undefined) !== (retainFor === undefined))
    throw invalid('--object-lock', 'and --retain-for go together')
  return {
    tags,
    metadata,
    sha256: values.metadataSha256 === true,
    ...given({
      contentType: values.contentType,
      contentEncoding: values.contentEncoding,
      cacheControl: values.cacheControl,
      storageClass: values.storageClass,
      acl: values.acl,
      encryption: sse === 'aes256' ? 'AES256' : (sse ?? (sseKmsKeyId === undefined ? undefined : 'aws:kms')),
      kmsKeyId: sseKmsKeyId,
      kmsContext: values.sseKmsContext,
      bucketKey: values.bucketKey,
      lockMode: objectLock === undefined ? undefined : LOCK_MODES[objectLock],
      retainForMs: retainFor,
      legalHold: values.legalHold,
    }),
  }
}

/** What goes into a header as it is. */
const HEADERS = [
  'contentType',
  'contentEncoding',
  'cacheControl',
  'storageClass',
  'acl',
  'sseKmsKeyId',
  'expectedBucketOwner',
] as const satisfies readonly (keyof S3TransferValues)[]

/** As S3 calls them. */
const CHECKSUMS = {crc32: 'CRC32', crc32c: 'CRC32C', crc64nvme: 'CRC64NVME', none: null} as const

const LOCK_MODES = {governance: 'GOVERNANCE', compliance: 'COMPLIANCE'} as const

type Given<T> = {[Name in keyof T]?: Exclude<T[Name], undefined>}

/** Without what is undefined. */
function given<const T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>
}

const invalid = (flag: string, why: string) => new StreamtoolError('SETTING_INVALID', `${flag} ${why}.`)
