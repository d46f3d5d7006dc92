import {type Answer, emptyAnswer} from '../answer.js'
import {checksumHeader, type ChecksumName, CHECKSUM_NAMES} from '../checksums/algorithms.js'
import {S3Error} from '../errors.js'
import type {S3Request} from '../s3-request.js'
import {integerInQuery} from '../target.js'
import type {BucketStore} from '../storage/bucket-store.js'
import type {Upload} from '../storage/records.js'
import {requireCustomerKey} from './customer-key.js'
import {encryptionHeaders} from './object-traits.js'
import {quoted} from './put-object.js'
import {receivePiece} from './receiving.js'

export const MAX_PARTS = 10_000

export async function uploadPart(request: S3Request, bucket: BucketStore, key: string): Promise<Answer> {
  const partNumber = requiredPartNumber(request)
  const upload = findUpload(request, bucket, key)
  requireCustomerKey(request, upload.record)
  const {segment, md5, checksums} = await receivePiece(request, bucket.data, (claimed) => {
    checkAlgorithm(upload, claimed)
    return [upload.record.checksum.name]
  })
  if (bucket.findUpload(upload.record.uploadId) !== upload) {
    await bucket.data.remove([segment.file])
    throw new S3Error('NoSuchUpload')
  }
  const etag = md5.toString('hex')
  await bucket.putPart(upload, {...segment, partNumber, etag, modifiedMs: Date.now(), checksums})
  const answered = CHECKSUM_NAMES.map((name) => [checksumHeader(name), checksums[name]] as const)
  return emptyAnswer(200, {
    etag: quoted(etag),
    ...Object.fromEntries(answered.filter(([, value]) => value !== undefined)),
    ...encryptionHeaders(upload.record),
  })
}

/** @throws S3Error NoSuchUpload */
export function findUpload({query}: S3Request, bucket: BucketStore, key: string): Upload {
  const uploadId = query.get('uploadId') ?? ''
  const upload = bucket.findUpload(uploadId)
  if (upload?.record.key !== key) throw new S3Error('NoSuchUpload', undefined, {UploadId: uploadId})
  return upload
}

function requiredPartNumber({query}: S3Request): number {
  const partNumber = integerInQuery(query, 'partNumber', {min: 1, max: MAX_PARTS})
  if (partNumber !== undefined) return partNumber
  throw new S3Error(
    'InvalidArgument',
    `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
    {
      ArgumentName: 'partNumber',
      ArgumentValue: query.get('partNumber') ?? '',
    },
  )
}

/** Of an upload with FULL_OBJECT, parts may come without a checksum of their own; the store computes it. */
function checkAlgorithm({record}: Upload, claimed: ChecksumName | null): void {
  const {name, type, isChosen} = record.checksum
  if (!isChosen || claimed === name || (claimed === null && type === 'FULL_OBJECT')) return
  throw new S3Error(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${name.toLowerCase()}, actual checksum Type: ${claimed?.toLowerCase() ?? 'null'}`,
  )
}
