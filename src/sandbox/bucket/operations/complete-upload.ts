/** CompleteMultipartUpload: the list of parts is checked against what was uploaded, and the whole against what the client says of it. */
import {createHash} from 'node:crypto'
import {type Answer, xmlAnswer} from '../answer.js'
import {
  CHECKSUM_NAMES,
  CHECKSUMS,
  checksumHeader,
  type ChecksumName,
  parseChecksum,
} from '../checksums/algorithms.js'
import {checksumOfParts} from '../checksums/of-parts.js'
import {S3Error} from '../errors.js'
import {headerOf, type S3Request} from '../s3-request.js'
import type {BucketStore} from '../storage/bucket-store.js'
import type {ObjectRecord, PartRecord, Upload} from '../storage/records.js'
import {childrenNamed, childText, parseXml} from '../xml/read.js'
import {WriteCondition} from './conditions.js'
import {requireCustomerKey} from './customer-key.js'
import {encryptionHeaders} from './object-traits.js'
import {quoted} from './put-object.js'
import {findUpload, MAX_PARTS} from './upload-part.js'

const SMALLEST_PART_BYTES = 5 * 1024 ** 2
/** 48.8 TiB */
const LARGEST_OBJECT_BYTES = 10_000 * 5 * 1024 ** 3
const MAX_XML_BYTES = 8 * 1024 * 1024

/** A part as the client names it. */
interface NamedPart {
  readonly partNumber: number
  readonly etag: string
  readonly checksums: ReadonlyMap<ChecksumName, string>
}

export async function completeUpload(request: S3Request, bucket: BucketStore, key: string): Promise<Answer> {
  const {record} = findUpload(request, bucket, key)
  // As on S3, where a checksum was chosen.
  if (record.checksum.isChosen) requireCustomerKey(request, record)
  const condition = new WriteCondition(request)
  condition.check(bucket.find(key))
  const named = parsePartList(await request.body.whole(MAX_XML_BYTES))

  const upload = findUpload(request, bucket, key)
  const parts = choosePartsOf(upload, named)
  checkSizes(request, parts)
  const object = objectOf(upload, parts)
  checkChecksum(request, object)
  condition.checkAgain(bucket.find(key))
  await bucket.complete(upload, object)
  return xmlAnswer(
    'CompleteMultipartUploadResult',
    completedXml(request, bucket, object),
    encryptionHeaders(object),
  )
}

function completedXml(request: S3Request, bucket: BucketStore, {key, etag, checksum}: ObjectRecord) {
  return {
    Location: `http://${headerOf(request, 'host') ?? ''}/${bucket.name}/${encodeURI(key)}`,
    Bucket: bucket.name,
    Key: key,
    ETag: quoted(etag),
    [`Checksum${checksum.name}`]: checksum.value,
    ChecksumType: checksum.type,
  }
}

/** @throws S3Error MalformedXML, InvalidPartOrder */
function parsePartList(body: Buffer): readonly NamedPart[] {
  const parts = childrenNamed(parseXml(body.toString('utf8'), 'CompleteMultipartUpload'), 'Part').map(
    (part) => {
      const checksums = CHECKSUM_NAMES.map((name) => [name, childText(part, `Checksum${name}`)] as const)
      return {
        partNumber: Number(childText(part, 'PartNumber')),
        etag: (childText(part, 'ETag') ?? '').trim().replace(/^"(.*)"$/, '$1'),
        checksums: new Map(
          checksums.filter((entry): entry is [ChecksumName, string] => entry[1] !== undefined),
        ),
      }
    },
  )
  const isValid = ({partNumber, etag}: NamedPart) =>
    Number.isInteger(partNumber) && partNumber >= 1 && partNumber <= MAX_PARTS && etag !== ''
  if (parts.length === 0 || !parts.every(isValid)) throw new S3Error('MalformedXML')
  for (const [index, {partNumber}] of parts.entries())
    if (partNumber <= (parts[index - 1]?.partNumber ?? 0)) throw new S3Error('InvalidPartOrder')
  return parts
}

/** @throws S3Error InvalidPart, InvalidRequest */
function choosePartsOf({record, parts}: Upload, named: readonly NamedPart[]): readonly PartRecord[] {
  const {name, type} = record.checksum
  return named.map(({partNumber, etag, checksums}) => {
    const part = parts.get(partNumber)
    const agrees = ([algorithm, value]: [ChecksumName, string]) => part?.checksums[algorithm] === value
    if (part?.etag !== etag || ![...checksums].every(agrees))
      throw new S3Error('InvalidPart', undefined, {
        UploadId: record.uploadId,
        PartNumber: partNumber,
        ETag: etag,
      })
    if (type === 'COMPOSITE' && !checksums.has(name))
      throw new S3Error(
        'InvalidRequest',
        `The upload was created using a ${name.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${partNumber} in the request.`,
      )
    return part
  })
}

/** @throws S3Error EntityTooSmall, EntityTooLarge, InvalidRequest */
function checkSizes(request: S3Request, parts: readonly PartRecord[]): void {
  const tooSmall = parts.slice(0, -1).find(({size}) => size < SMALLEST_PART_BYTES)
  if (tooSmall !== undefined)
    throw new S3Error('EntityTooSmall', undefined, {
      ProposedSize: tooSmall.size,
      MinSizeAllowed: SMALLEST_PART_BYTES,
      PartNumber: tooSmall.partNumber,
      ETag: tooSmall.etag,
    })
  const total = totalSize(parts)
  if (total > LARGEST_OBJECT_BYTES)
    throw new S3Error('EntityTooLarge', undefined, {
      ProposedSize: total,
      MaxSizeAllowed: LARGEST_OBJECT_BYTES,
    })
  const announced = headerOf(request, 'x-amz-mp-object-size')
  if (announced !== undefined && announced !== String(total))
    throw new S3Error(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${announced} does not match what was computed: ${total}`,
    )
}

function objectOf({record}: Upload, parts: readonly PartRecord[]): ObjectRecord {
  const {name, type} = record.checksum
  const md5s = Buffer.concat(parts.map(({etag}) => Buffer.from(etag, 'hex')))
  const checksums = parts.map(({size, checksums}) => ({size, checksum: checksums[name] ?? ''}))
  return {
    key: record.key,
    headers: record.headers,
    tags: record.tags,
    size: totalSize(parts),
    etag: `${createHash('md5').update(md5s).digest('hex')}-${parts.length}`,
    modifiedMs: Date.now(),
    segments: parts.map(({file, size}) => ({file, size})),
    partCount: parts.length,
    checksum: {name, type, value: checksumOfParts(name, type, checksums)},
  }
}

/** @throws S3Error InvalidRequest, BadDigest */
function checkChecksum(request: S3Request, {checksum}: ObjectRecord): void {
  const type = headerOf(request, 'x-amz-checksum-type')
  if (type !== undefined && type !== checksum.type)
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using the ${checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    )
  for (const name of CHECKSUM_NAMES) {
    const header = checksumHeader(name)
    const claimed = headerOf(request, header)
    if (claimed === undefined) continue
    if (!isWellFormed(name, claimed))
      throw new S3Error('InvalidRequest', `Value for ${header} header is invalid.`)
    if (name !== checksum.name)
      throw new S3Error(
        'InvalidRequest',
        `Checksum Type mismatch occurred, expected checksum Type: ${checksum.name.toLowerCase()}, actual checksum Type: ${name.toLowerCase()}`,
      )
    if (claimed !== checksum.value)
      throw new S3Error(
        'BadDigest',
        `The ${name.toLowerCase()} you specified did not match the calculated checksum.`,
      )
  }
}

/** With `-<parts>` after it when it is composite. */
const isWellFormed = (name: ChecksumName, text: string) =>
  parseChecksum(name, CHECKSUMS[name].types.includes('COMPOSITE') ? text.replace(/-\d{1,5}$/, '') : text) !==
  null

const totalSize = (parts: readonly PartRecord[]) => parts.reduce((total, {size}) => total + size, 0)
