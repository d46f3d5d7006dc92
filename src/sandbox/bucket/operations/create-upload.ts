import {randomBytes} from 'node:crypto'
import {type Answer, xmlAnswer} from '../answer.js'
import {CHECKSUMS, type ChecksumType, DEFAULT_CHECKSUM, isChecksumName} from '../checksums/algorithms.js'
import {S3Error} from '../errors.js'
import {headerOf, type S3Request} from '../s3-request.js'
import type {BucketStore} from '../storage/bucket-store.js'
import type {UploadRecord} from '../storage/records.js'
import {encryptionHeaders, objectTraits} from './object-traits.js'

export function createUpload(request: S3Request, bucket: BucketStore, key: string): Answer {
  const startedMs = Date.now()
  const record: UploadRecord = {
    ...objectTraits(request),
    // Begins with the time, so that the uploads of a key are listed in the order of their beginning.
    uploadId: `${startedMs.toString(16).padStart(12, '0')}${randomBytes(16).toString('hex')}`,
    key,
    startedMs,
    checksum: wantedChecksum(request),
  }
  bucket.createUpload(record)
  const {checksum, uploadId} = record
  return xmlAnswer(
    'InitiateMultipartUploadResult',
    {Bucket: bucket.name, Key: key, UploadId: uploadId},
    {
      'x-amz-checksum-algorithm': checksum.isChosen ? checksum.name : undefined,
      'x-amz-checksum-type': checksum.isChosen ? checksum.type : undefined,
      ...encryptionHeaders(record),
    },
  )
}

function wantedChecksum(request: S3Request): UploadRecord['checksum'] {
  const algorithm = headerOf(request, 'x-amz-checksum-algorithm')?.toUpperCase()
  const type = headerOf(request, 'x-amz-checksum-type')?.toUpperCase()
  if (algorithm === undefined) {
    if (type !== undefined)
      throw new S3Error(
        'InvalidRequest',
        'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
      )
    return {name: DEFAULT_CHECKSUM, type: 'FULL_OBJECT', isChosen: false}
  }
  if (!isChecksumName(algorithm))
    throw new S3Error(
      'InvalidRequest',
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    )
  const {types} = CHECKSUMS[algorithm]
  const isPossible = (text: string): text is ChecksumType => (types as readonly string[]).includes(text)
  if (type !== undefined && !isPossible(type))
    throw new S3Error(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    )
  return {name: algorithm, type: type ?? types[0], isChosen: true}
}
