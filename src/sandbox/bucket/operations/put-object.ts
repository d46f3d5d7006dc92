import {randomBytes} from 'node:crypto'
import {type Answer, emptyAnswer} from '../answer.js'
import {checksumHeader, type ChecksumName, DEFAULT_CHECKSUM} from '../checksums/algorithms.js'
import type {S3Request} from '../s3-request.js'
import type {BucketStore} from '../storage/bucket-store.js'
import type {ObjectRecord} from '../storage/records.js'
import {WriteCondition} from './conditions.js'
import {encryptionHeaders, hasOpaqueEtag, objectTraits} from './object-traits.js'
import {receivePiece} from './receiving.js'

export async function putObject(request: S3Request, bucket: BucketStore, key: string): Promise<Answer> {
  const condition = new WriteCondition(request)
  condition.check(bucket.find(key))
  const traits = objectTraits(request)
  let name: ChecksumName = DEFAULT_CHECKSUM
  const {segment, md5, checksums} = await receivePiece(request, bucket.data, (claimed) => [
    (name = claimed ?? DEFAULT_CHECKSUM),
  ])
  const object: ObjectRecord = {
    ...traits,
    key,
    size: segment.size,
    etag: (hasOpaqueEtag(traits) ? randomBytes(16) : md5).toString('hex'),
    modifiedMs: Date.now(),
    segments: [segment],
    partCount: null,
    checksum: {name, type: 'FULL_OBJECT', value: checksums[name] ?? ''},
  }
  try {
    condition.checkAgain(bucket.find(key))
  } catch (thrown) {
    await bucket.data.remove([segment.file])
    throw thrown
  }
  await bucket.put(object)
  return emptyAnswer(200, writtenHeaders(object))
}

export const quoted = (etag: string) => `"${etag}"`

const writtenHeaders = (object: ObjectRecord) => ({
  etag: quoted(object.etag),
  [checksumHeader(object.checksum.name)]: object.checksum.value,
  'x-amz-checksum-type': object.checksum.type,
  ...encryptionHeaders(object),
})
