import {type Answer, type AnswerHeaders, emptyAnswer} from '../answer.js'
import {checksumHeader} from '../checksums/algorithms.js'
import {S3Error} from '../errors.js'
import {headerOf, type S3Request} from '../s3-request.js'
import {integerInQuery} from '../target.js'
import type {BucketStore} from '../storage/bucket-store.js'
import type {ObjectRecord} from '../storage/records.js'
import {isNotModified} from './conditions.js'
import {requireCustomerKey} from './customer-key.js'
import {quoted} from './put-object.js'

/** From `start` to before `end`. */
interface Span {
  readonly start: number
  readonly end: number
}

const ARCHIVED = new Set(['GLACIER', 'DEEP_ARCHIVE'])
const OVERRIDABLE = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
]

export function getObject(request: S3Request, bucket: BucketStore, key: string): Answer {
  const object = findObject(bucket, key)
  const storageClass = object.headers['x-amz-storage-class']
  if (storageClass !== undefined && ARCHIVED.has(storageClass))
    throw new S3Error('InvalidObjectState', undefined, {StorageClass: storageClass})
  const answer = headObject(request, bucket, key)
  if (answer.status === 304) return answer
  const span = wantedSpan(request, object) ?? wholeOf(object)
  return {...answer, body: bucket.data.read(object.segments, span.start, span.end)}
}

export function headObject(request: S3Request, bucket: BucketStore, key: string): Answer {
  const object = findObject(bucket, key)
  requireCustomerKey(request, object)
  const validators = {etag: quoted(object.etag), 'last-modified': new Date(object.modifiedMs).toUTCString()}
  if (isNotModified(request, object)) return emptyAnswer(304, validators)
  const span = wantedSpan(request, object)
  const {start, end} = span ?? wholeOf(object)
  const headers: AnswerHeaders = {
    ...object.headers,
    ...overrides(request),
    ...validators,
    'content-length': end - start,
    'content-range': span === null ? undefined : `bytes ${start}-${end - 1}/${object.size}`,
    'accept-ranges': 'bytes',
    'x-amz-tagging-count': object.tags.length || undefined,
    'x-amz-mp-parts-count': request.query.has('partNumber') ? (object.partCount ?? undefined) : undefined,
    ...(span === null || end - start === object.size ? checksumHeaders(request, object) : {}),
  }
  return emptyAnswer(span === null ? 200 : 206, headers)
}

/** @throws S3Error NoSuchKey */
export function findObject(bucket: BucketStore, key: string): ObjectRecord {
  const object = bucket.find(key)
  if (object === undefined) throw new S3Error('NoSuchKey', undefined, {Key: key})
  return object
}

const wholeOf = ({size}: ObjectRecord): Span => ({start: 0, end: size})

function checksumHeaders(request: S3Request, {checksum}: ObjectRecord): AnswerHeaders {
  if (headerOf(request, 'x-amz-checksum-mode')?.toUpperCase() !== 'ENABLED') return {}
  return {[checksumHeader(checksum.name)]: checksum.value, 'x-amz-checksum-type': checksum.type}
}

function overrides({query}: S3Request): AnswerHeaders {
  const headers: Record<string, string | undefined> = {}
  for (const name of OVERRIDABLE) {
    const value = query.get(`response-${name}`)
    if (value !== undefined) headers[name] = value
  }
  return headers
}

/** Null for all of it: also when the header is of a form that may be ignored. */
function wantedSpan(request: S3Request, object: ObjectRecord): Span | null {
  const partNumber = integerInQuery(request.query, 'partNumber', {min: 1, max: 10_000})
  if (partNumber !== undefined) return spanOfPart(object, partNumber)
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headerOf(request, 'range') ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return null
  const {size} = object
  const span =
    first === ''
      ? {start: Math.max(0, size - Number(last)), end: size}
      : {start: Number(first), end: last === '' ? size : Math.min(size, Number(last) + 1)}
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null
  if (span.start >= span.end)
    throw new S3Error('InvalidRange', undefined, {
      RangeRequested: `bytes=${first}-${last}`,
      ActualObjectSize: size,
    })
  return span
}

function spanOfPart({segments, size}: ObjectRecord, partNumber: number): Span {
  let start = 0
  for (const [index, segment] of segments.entries()) {
    if (index + 1 === partNumber) return {start, end: start + segment.size}
    start += segment.size
  }
  throw new S3Error('InvalidRange', 'The requested partnumber is not satisfiable', {
    PartNumberRequested: partNumber,
    ActualObjectSize: size,
  })
}
