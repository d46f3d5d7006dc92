/** ListObjectsV2, and the first version, which boto3's resources still use. */
import {type Answer, xmlAnswer} from '../answer.js'
import {S3Error} from '../errors.js'
import type {S3Request} from '../s3-request.js'
import type {BucketStore} from '../storage/bucket-store.js'
import type {ObjectRecord} from '../storage/records.js'
import {compareUtf8} from '../storage/sorted-names.js'
import type {XmlTree} from '../xml/write.js'
import {listingQuery, type ListingQuery, type Page, pageOf} from './page.js'
import {quoted} from './put-object.js'

const OWNER = {ID: 'sandbox', DisplayName: 'sandbox'}

export function listObjectsV2({query}: S3Request, bucket: BucketStore): Answer {
  const listing = listingQuery(query, 'max-keys')
  const token = query.get('continuation-token')
  const startAfter = query.get('start-after')
  const after = token === undefined ? (startAfter ?? '') : readToken(token)
  const page = pageAfter(bucket, listing, after)
  return xmlAnswer('ListBucketResult', {
    ...listingXml(bucket, listing),
    KeyCount: page.items.length + page.commonPrefixes.length,
    ContinuationToken: token,
    NextContinuationToken: page.isTruncated ? writeToken(nameOf(page.last)) : undefined,
    StartAfter: startAfter === undefined ? undefined : listing.encode(startAfter),
    ...pageXml(page, listing, query.get('fetch-owner') === 'true'),
  })
}

export function listObjects({query}: S3Request, bucket: BucketStore): Answer {
  const listing = listingQuery(query, 'max-keys')
  const marker = query.get('marker') ?? ''
  const page = pageAfter(bucket, listing, marker)
  const isMarked = page.isTruncated && listing.delimiter !== ''
  return xmlAnswer('ListBucketResult', {
    ...listingXml(bucket, listing),
    Marker: listing.encode(marker),
    NextMarker: isMarked ? listing.encode(nameOf(page.last)) : undefined,
    ...pageXml(page, listing, true),
  })
}

/** @param after the key or common prefix that the last page ended with; empty for the first page */
function pageAfter(bucket: BucketStore, listing: ListingQuery, after: string): Page<ObjectRecord> {
  const {prefix, delimiter} = listing
  function* objects() {
    const start = compareUtf8(after, prefix) > 0 ? after : prefix
    for (const object of bucket.objectsFrom(start)) {
      if (!object.key.startsWith(prefix)) return
      if (after === '' || object.key !== after) yield object
    }
  }
  return pageOf(
    objects(),
    ({key}) => key,
    listing,
    (common) => {
      return after !== '' && delimiter !== '' && compareUtf8(common, after) <= 0
    },
  )
}

const nameOf = (last: ObjectRecord | string | undefined) =>
  typeof last === 'object' ? last.key : (last ?? '')

const listingXml = (bucket: BucketStore, {prefix, delimiter, limit, encode, encodingType}: ListingQuery) => ({
  Name: bucket.name,
  Prefix: encode(prefix),
  Delimiter: delimiter === '' ? undefined : encode(delimiter),
  MaxKeys: limit,
  EncodingType: encodingType,
})

function pageXml(page: Page<ObjectRecord>, {encode}: ListingQuery, withOwner: boolean): XmlTree {
  return {
    IsTruncated: page.isTruncated,
    Contents: page.items.map(({key, modifiedMs, etag, checksum, size, headers}) => ({
      Key: encode(key),
      LastModified: new Date(modifiedMs).toISOString(),
      ETag: quoted(etag),
      ChecksumAlgorithm: checksum.name,
      ChecksumType: checksum.type,
      Size: size,
      Owner: withOwner ? OWNER : undefined,
      StorageClass: headers['x-amz-storage-class'] ?? 'STANDARD',
    })),
    CommonPrefixes: page.commonPrefixes.map((prefix) => ({Prefix: encode(prefix)})),
  }
}

const writeToken = (name: string) => Buffer.from(name).toString('base64url')

function readToken(token: string): string {
  const name = Buffer.from(token, 'base64url').toString('utf8')
  if (name === '' || writeToken(name) !== token)
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect', {
      ArgumentName: 'continuation-token',
    })
  return name
}
