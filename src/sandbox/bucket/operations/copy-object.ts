import {type Answer, xmlAnswer} from '../answer.js'
import {S3Error} from '../errors.js'
import {headerOf, type S3Request} from '../s3-request.js'
import type {BucketStore} from '../storage/bucket-store.js'
import type {Buckets} from '../storage/buckets.js'
import type {ObjectRecord, ObjectTraits} from '../storage/records.js'
import {hasCustomerKey} from './customer-key.js'
import {encryptionHeaders, objectTraits} from './object-traits.js'
import {findObject} from './get-object.js'
import {quoted} from './put-object.js'

export async function copyObject(
  request: S3Request,
  buckets: Buckets,
  bucket: BucketStore,
  key: string,
): Promise<Answer> {
  const {bucket: sourceBucket, key: sourceKey} = sourceOf(request)
  const source = findObject(buckets.get(sourceBucket), sourceKey)
  if (hasCustomerKey(source))
    throw new S3Error('NotImplemented', 'Objects with a customer key are not copied here.')
  const traits = traitsOfCopy(request, source)
  const isItself = sourceBucket === bucket.name && sourceKey === key
  if (isItself && traits.headers === source.headers)
    throw new S3Error(
      'InvalidRequest',
      'This copy request is illegal because it is trying to copy an object to itself without changing the object’s metadata, storage class, website redirect location or encryption attributes.',
    )
  const from = buckets.get(sourceBucket).data
  const segments = isItself
    ? source.segments
    : await Promise.all(source.segments.map((segment) => bucket.data.duplicate(segment, from)))
  const copy: ObjectRecord = {...source, ...traits, key, segments, modifiedMs: Date.now()}
  await bucket.put(copy)
  return xmlAnswer(
    'CopyObjectResult',
    {
      LastModified: new Date(copy.modifiedMs).toISOString(),
      ETag: quoted(copy.etag),
      [`Checksum${copy.checksum.name}`]: copy.checksum.value,
      ChecksumType: copy.checksum.type,
    },
    encryptionHeaders(copy),
  )
}

function sourceOf(request: S3Request): {bucket: string; key: string} {
  const text = headerOf(request, 'x-amz-copy-source') ?? ''
  const [, bucket, encodedKey] = /^\/?([^/]+)\/([^?]+)$/.exec(text) ?? []
  try {
    if (bucket !== undefined && encodedKey !== undefined) return {bucket, key: decodeURIComponent(encodedKey)}
  } catch {
    // Not an encoded key: refused below.
  }
  throw new S3Error(
    'InvalidArgument',
    'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    {
      ArgumentName: 'x-amz-copy-source',
      ArgumentValue: text,
    },
  )
}

/** Storage class and encryption are always those of the request. */
function traitsOfCopy(request: S3Request, source: ObjectRecord): ObjectTraits {
  const asked = objectTraits(request)
  const directives = ['x-amz-metadata-directive', 'x-amz-tagging-directive'].map(
    (name) => headerOf(request, name)?.toUpperCase() ?? 'COPY',
  )
  if (directives.some((directive) => directive !== 'COPY' && directive !== 'REPLACE'))
    throw new S3Error('InvalidArgument', 'Unknown metadata directive.')
  const isAskedFor = (name: string) =>
    name === 'x-amz-storage-class' || name.startsWith('x-amz-server-side-encryption')
  const changes = Object.entries(asked.headers).filter(([name]) => isAskedFor(name))
  const kept = Object.entries(source.headers).filter(([name]) => !isAskedFor(name))
  const copied = changes.length === 0 ? source.headers : Object.fromEntries([...kept, ...changes])
  return {
    headers: directives[0] === 'REPLACE' ? asked.headers : copied,
    tags: directives[1] === 'REPLACE' ? asked.tags : source.tags,
  }
}
