/** What was found out about a bucket, as a person reads it. */
import type {BucketExamination} from '../compose-bucket.js'
import {factLines} from './table.js'

const LIFECYCLE =
  'A lifecycle rule that ends incomplete multipart uploads after 7 days (AbortIncompleteMultipartUpload) is a good idea in any bucket.'

export function examinationLines(
  bucket: string,
  {endpoint, capabilities, clockOffsetMs, shortcomings}: BucketExamination,
): string[] {
  const {conditions, checksum, perRequest, wholeObject, listsChecksums, cleansUp} = capabilities
  return [
    ...factLines([
      ['Bucket', `${bucket}, at ${endpoint ?? 'AWS'}`],
      ['Write objects', 'yes'],
      ['Remove objects', cleansUp ? 'yes' : 'no, and it is not needed'],
      ['Write if absent (If-None-Match)', yesOrNo(conditions.ifAbsent)],
      ['Write if unchanged (If-Match)', yesOrNo(conditions.ifMatch)],
      [`${checksum} of each request`, yesOrNo(perRequest)],
      [`${checksum} of whole objects`, yesOrNo(wholeObject)],
      ['Clock', clockText(clockOffsetMs)],
      ['Go on with interrupted uploads', yesOrNo(listsChecksums)],
    ]),
    ...(shortcomings.length === 0 ? [] : ['', ...shortcomings]),
    '',
    LIFECYCLE,
  ]
}

/** The header that tells it has whole seconds. */
function clockText(offsetMs: number): string {
  const seconds = Math.round(Math.abs(offsetMs) / 1000)
  if (seconds <= 2) return "as the store's"
  return `${seconds} s ${offsetMs > 0 ? 'behind' : 'ahead of'} the store's`
}

const yesOrNo = (is: boolean): string => (is ? 'yes' : 'no')
