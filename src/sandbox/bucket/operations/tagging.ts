import {type Answer, emptyAnswer, xmlAnswer} from '../answer.js'
import type {S3Request} from '../s3-request.js'
import type {BucketStore} from '../storage/bucket-store.js'
import {findObject} from './get-object.js'
import {receiveXml} from './receiving.js'
import {parseTagging, taggingXml} from './tags.js'

export const getTagging = (bucket: BucketStore, key: string): Answer =>
  xmlAnswer('Tagging', taggingXml(findObject(bucket, key).tags))

export async function putTagging(request: S3Request, bucket: BucketStore, key: string): Promise<Answer> {
  const tags = parseTagging(await receiveXml(request))
  await bucket.put({...findObject(bucket, key), tags})
  return emptyAnswer(200)
}

export async function deleteTagging(bucket: BucketStore, key: string): Promise<Answer> {
  await bucket.put({...findObject(bucket, key), tags: []})
  return emptyAnswer(204)
}
