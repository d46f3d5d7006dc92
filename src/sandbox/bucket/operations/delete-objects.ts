import {type Answer, emptyAnswer, xmlAnswer} from '../answer.js'
import {CHECKSUM_NAMES, checksumHeader} from '../checksums/algorithms.js'
import {S3Error} from '../errors.js'
import type {S3Request} from '../s3-request.js'
import type {BucketStore} from '../storage/bucket-store.js'
import {childrenNamed, childText, parseXml} from '../xml/read.js'
import {WriteCondition} from './conditions.js'
import {receiveXml} from './receiving.js'

const MAX_KEYS = 1000

/** What is not there is deleted too, as on S3. */
export async function deleteObject(request: S3Request, bucket: BucketStore, key: string): Promise<Answer> {
  new WriteCondition(request).check(bucket.find(key))
  await bucket.delete(key)
  return emptyAnswer(204)
}

export async function deleteObjects(request: S3Request, bucket: BucketStore): Promise<Answer> {
  const isGuarded =
    request.headers['content-md5'] !== undefined ||
    request.body.hasTrailers ||
    CHECKSUM_NAMES.some((name) => request.headers[checksumHeader(name)] !== undefined)
  if (!isGuarded)
    throw new S3Error(
      'InvalidRequest',
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    )
  const root = parseXml((await receiveXml(request)).toString('utf8'), 'Delete')
  const keys = childrenNamed(root, 'Object').map((object) => childText(object, 'Key') ?? '')
  if (keys.length === 0 || keys.length > MAX_KEYS || keys.includes('')) throw new S3Error('MalformedXML')
  for (const key of keys) await bucket.delete(key)
  const isQuiet = childText(root, 'Quiet')?.trim() === 'true'
  return xmlAnswer('DeleteResult', {Deleted: isQuiet ? [] : keys.map((Key) => ({Key}))})
}
