/** What was found out about a bucket, as a person reads it. */
import type {BucketExamination} from '../compose-bucket.js'
import {factLines} from './table.js'

const LIFECYCLE =
  'A lifecycle rule that ends incomplete multipart uploads after 7 days (AbortIncompleteMultipartUpload) is a good idea in any bucket.'

export function examinationLines(
  bucket: string,
  {endpoint, capabilities, shortcomings}: BucketExamination,
): string[] {
  const {conditions, perRequest, wholeObject, listsChecksums, cleansUp} = capabilities
  return [
    ...factLines([
      ['Bucket', `${bucket}, at ${endpoint ?? 'AWS'}`],
      ['Write objects', 'yes'],
      ['Remove objects', cleansUp ? 'yes' : 'no, and it is not needed'],
      ['Write if absent (If-None-Match)', yesOrNo(conditions.ifAbsent)],
      ['Write if unchanged (If-Match)', yesOrNo(conditions.ifMatch)],
      ['CRC-32 of each request', yesOrNo(perRequest)],
      ['CRC-32 of whole objects', yesOrNo(wholeObject)],
      ['Go on with interrupted uploads', yesOrNo(listsChecksums)],
    ]),
    ...(shortcomings.length === 0 ? [] : ['', ...shortcomings]),
    '',
    LIFECYCLE,
  ]
}

const yesOrNo = (is: boolean): string => (is ? 'yes' : 'no')
