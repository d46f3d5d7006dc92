/** Fields that several requests have, and what they are about. */
import type {CreateMultipartUploadCommandInput, PutObjectCommandInput} from '@aws-sdk/client-s3'
import {createHash} from 'node:crypto'
import {checksumField, type ChecksumFields} from './checksum.js'
import type {ChecksumUse} from './store-calls.js'

/** What is sent, with the checksum that was computed when it was read from the topic: not from what is in memory now. */
export interface Body {
  readonly content: Buffer
  /** Of the kind in use. */
  readonly checksum: string
}

/** `absent`: only if the key is free. An ETag: only if that is there. Null: whatever is there. */
export type Condition = 'absent' | {readonly etag: string} | null

/** What an object is to be like. */
export type ObjectFields = Partial<PutObjectCommandInput & CreateMultipartUploadCommandInput>

export function conditionFields(condition: Condition): {IfNoneMatch?: '*'; IfMatch?: string} {
  if (condition === null) return {}
  return condition === 'absent' ? {IfNoneMatch: '*'} : {IfMatch: condition.etag}
}

export function proofOf(
  {content, checksum}: Body,
  {name, perRequest}: ChecksumUse,
): ChecksumFields | {ContentMD5: string} {
  return perRequest
    ? checksumField(name, checksum)
    : {ContentMD5: createHash('md5').update(content).digest('base64')}
}
