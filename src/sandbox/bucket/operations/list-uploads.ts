/** ListMultipartUploads and ListParts. */
import {type Answer, xmlAnswer} from '../answer.js'
import {CHECKSUM_NAMES} from '../checksums/algorithms.js'
import type {S3Request} from '../s3-request.js'
import {integerInQuery} from '../target.js'
import type {BucketStore} from '../storage/bucket-store.js'
import type {ObjectTraits, PartRecord, UploadRecord} from '../storage/records.js'
import {compareUtf8} from '../storage/sorted-names.js'
import {listingQuery, pageOf} from './page.js'
import {quoted} from './put-object.js'
import {findUpload} from './upload-part.js'

const WHO = {ID: 'sandbox', DisplayName: 'sandbox'}
const MAX_LIMIT = 1000

export function listUploads({query}: S3Request, bucket: BucketStore): Answer {
  const listing = listingQuery(query, 'max-uploads')
  const {encode, prefix, delimiter} = listing
  const keyMarker = query.get('key-marker') ?? ''
  // Without a key marker, that of the upload is ignored.
  const uploadIdMarker = keyMarker === '' ? '' : (query.get('upload-id-marker') ?? '')
  const isAfterMarkers = ({key, uploadId}: UploadRecord) => {
    const order = compareUtf8(key, keyMarker)
    return (
      keyMarker === '' || order > 0 || (order === 0 && uploadIdMarker !== '' && uploadId > uploadIdMarker)
    )
  }
  const uploads = [...bucket.uploads()]
    .map(({record}) => record)
    .filter(isAfterMarkers)
    .sort((a, b) => compareUtf8(a.key, b.key) || (a.uploadId < b.uploadId ? -1 : 1))
  const page = pageOf(
    uploads,
    ({key}) => key,
    listing,
    (common) => compareUtf8(common, keyMarker) <= 0,
  )
  const last = typeof page.last === 'string' ? {key: page.last, uploadId: undefined} : page.last
  return xmlAnswer('ListMultipartUploadsResult', {
    Bucket: bucket.name,
    KeyMarker: encode(keyMarker),
    UploadIdMarker: uploadIdMarker,
    NextKeyMarker: page.isTruncated ? encode(last?.key ?? '') : undefined,
    NextUploadIdMarker: page.isTruncated ? last?.uploadId : undefined,
    Prefix: encode(prefix),
    Delimiter: delimiter === '' ? undefined : encode(delimiter),
    EncodingType: listing.encodingType,
    MaxUploads: listing.limit,
    IsTruncated: page.isTruncated,
    Upload: page.items.map((upload) => ({
      Key: encode(upload.key),
      UploadId: upload.uploadId,
      Initiator: WHO,
      Owner: WHO,
      StorageClass: storageClassOf(upload),
      Initiated: new Date(upload.startedMs).toISOString(),
      ...checksumXml(upload),
    })),
    CommonPrefixes: page.commonPrefixes.map((common) => ({Prefix: encode(common)})),
  })
}

export function listParts(request: S3Request, bucket: BucketStore, key: string): Answer {
  const {record, parts} = findUpload(request, bucket, key)
  const marker = integerInQuery(request.query, 'part-number-marker') ?? 0
  const limit = Math.min(integerInQuery(request.query, 'max-parts') ?? MAX_LIMIT, MAX_LIMIT)
  const after = [...parts.values()]
    .filter(({partNumber}) => partNumber > marker)
    .sort((a, b) => a.partNumber - b.partNumber)
  const page = after.slice(0, limit)
  return xmlAnswer('ListPartsResult', {
    Bucket: bucket.name,
    Key: key,
    UploadId: record.uploadId,
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.partNumber ?? 0,
    MaxParts: limit,
    IsTruncated: limit > 0 && after.length > page.length,
    Initiator: WHO,
    Owner: WHO,
    StorageClass: storageClassOf(record),
    ...checksumXml(record),
    Part: page.map(partXml),
  })
}

const partXml = ({partNumber, modifiedMs, etag, size, checksums}: PartRecord) => ({
  PartNumber: partNumber,
  LastModified: new Date(modifiedMs).toISOString(),
  ETag: quoted(etag),
  Size: size,
  ...Object.fromEntries(CHECKSUM_NAMES.map((name) => [`Checksum${name}`, checksums[name]])),
})

const checksumXml = ({checksum}: UploadRecord) => ({
  ChecksumAlgorithm: checksum.isChosen ? checksum.name : undefined,
  ChecksumType: checksum.isChosen ? checksum.type : undefined,
})

const storageClassOf = ({headers}: ObjectTraits) => headers['x-amz-storage-class'] ?? 'STANDARD'
