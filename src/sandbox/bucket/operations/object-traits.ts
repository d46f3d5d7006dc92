/** What a client says of an object beside its bytes, checked as S3 checks it, and kept to be given back. */
import {S3Error} from '../errors.js'
import {headerOf, type S3Request} from '../s3-request.js'
import type {ObjectTraits} from '../storage/records.js'
import {customerKeyTraits, hasCustomerKey} from './customer-key.js'
import {parseTagHeader} from './tags.js'

const KEPT = [
  'content-type',
  'content-disposition',
  'content-language',
  'cache-control',
  'expires',
  'x-amz-website-redirect-location',
]
const SSE = 'x-amz-server-side-encryption'
const KEPT_WITH_KMS = [`${SSE}-aws-kms-key-id`, `${SSE}-bucket-key-enabled`, `${SSE}-context`]
const ENCRYPTIONS = ['AES256', 'aws:kms', 'aws:kms:dsse']
const STORAGE_CLASSES = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'GLACIER_IR',
  'DEEP_ARCHIVE',
]
/** Those that a bucket with the default setting "bucket owner enforced" lets pass. */
const ACLS = ['private', 'bucket-owner-full-control']
const MAX_METADATA_BYTES = 2048
const METADATA = 'x-amz-meta-'

/** @throws S3Error when S3 would not store an object with these headers */
export function objectTraits(request: S3Request): ObjectTraits {
  refuseWhatIsNotThere(request)
  const headers: Record<string, string> = {'content-type': 'binary/octet-stream'}
  const keep = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') headers[name] = value
  }
  for (const name of KEPT) keep(name, headerOf(request, name))
  keep('content-encoding', contentEncoding(request))
  keep('x-amz-storage-class', oneOf(STORAGE_CLASSES, request, 'x-amz-storage-class', 'InvalidStorageClass'))
  const encryption = oneOf(ENCRYPTIONS, request, SSE, 'InvalidArgument')
  keep(SSE, encryption)
  for (const name of KEPT_WITH_KMS) {
    const value = headerOf(request, name)
    if (value !== undefined && encryption?.startsWith('aws:kms') !== true)
      throw new S3Error('InvalidArgument', `${name} is given, and ${SSE} is not aws:kms.`)
    keep(name, value)
  }
  const customerKey = customerKeyTraits(request)
  if (encryption !== undefined && Object.keys(customerKey).length > 0)
    throw new S3Error(
      'InvalidArgument',
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
    )
  Object.assign(headers, metadata(request), customerKey)
  return {headers, tags: parseTagHeader(headerOf(request, 'x-amz-tagging'))}
}

/** What an answer to a write or read says of how the object is kept. */
export const encryptionHeaders = ({headers}: ObjectTraits) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(SSE)))

/** With a KMS key or a customer's, as on S3, the ETag has nothing to do with the MD5. */
export const hasOpaqueEtag = (traits: ObjectTraits) =>
  traits.headers[SSE]?.startsWith('aws:kms') === true || hasCustomerKey(traits)

function metadata(request: S3Request): Record<string, string> {
  const metadata: Record<string, string> = {}
  let bytes = 0
  for (const name of Object.keys(request.headers)) {
    if (!name.startsWith(METADATA)) continue
    const value = headerOf(request, name) ?? ''
    // Header values are given as Latin-1: a character is a byte as it was sent.
    bytes += name.length - METADATA.length + value.length
    metadata[name] = value
  }
  if (bytes > MAX_METADATA_BYTES)
    throw new S3Error('MetadataTooLarge', undefined, {Size: bytes, MaxSizeAllowed: MAX_METADATA_BYTES})
  return metadata
}

/** aws-chunked says how the body travels, not what the object is. */
function contentEncoding(request: S3Request): string | undefined {
  return headerOf(request, 'content-encoding')
    ?.split(',')
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding.toLowerCase() !== 'aws-chunked')
    .join(',')
}

function oneOf(
  allowed: readonly string[],
  request: S3Request,
  name: string,
  code: 'InvalidStorageClass' | 'InvalidArgument',
): string | undefined {
  const value = headerOf(request, name)
  if (value !== undefined && !allowed.includes(value))
    throw new S3Error(code, undefined, {ArgumentName: name, ArgumentValue: value})
  return value
}

function refuseWhatIsNotThere(request: S3Request): void {
  const acl = headerOf(request, 'x-amz-acl')
  const grants = Object.keys(request.headers).some((name) => name.startsWith('x-amz-grant-'))
  if (grants || (acl !== undefined && !ACLS.includes(acl))) throw new S3Error('AccessControlListNotSupported')
  for (const name of Object.keys(request.headers)) {
    if (name.startsWith('x-amz-object-lock-'))
      throw new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration')
    if (name === 'x-amz-write-offset-bytes') throw new S3Error('NotImplemented', undefined, {Header: name})
  }
}
