/** Which partition of the output a record goes to. */
import {decodeChunk, HEADER, partitionForPath} from '../chunk/index.js'
import {murmur2} from '../chunk/partitioning.js'
import {StreamtoolError} from '../errors.js'
import type {ConsumedRecord, OutgoingRecord, RecordHeader} from '../record.js'

/**
 * - `key`: by the record's key, as Kafka's default partitioner does. Records without a key stay with those they came
 *   with: what is in one partition of the input goes to one of the output, in order.
 * - `expression`: by the Java hash code of a value, as Spring Cloud Stream does with `partitionKeyExpression`.
 * - `file`: by the path of the file that the record is a chunk of; the header that says so is added.
 */
export type Partitioning =
  | {readonly by: 'key'}
  | {readonly by: 'expression'; readonly expression: KeyExpression; readonly partitionCount: number}
  | {readonly by: 'file'}

/** `payload`, `key`, `headers['name']`, or the partition it was read from (`headers['kafka_receivedPartitionId']`). */
export type KeyExpression =
  | {readonly of: 'payload'}
  | {readonly of: 'key'}
  | {readonly of: 'header'; readonly name: string}
  | {readonly of: 'partition'}

export interface Addressed {
  readonly partition: number
  readonly record: OutgoingRecord
}

/**
 * @param input what the record was made of
 * @throws RECORD_FAILED when it has nothing to be told by
 */
export type Partitioner = (input: ConsumedRecord, record: OutgoingRecord) => Addressed

export function partitionerOf(partitioning: Partitioning, partitionCount: number): Partitioner {
  if (partitioning.by === 'key')
    return ({partition}, record) => ({
      partition:
        record.key === null ? partition % partitionCount : partitionForKey(record.key, partitionCount),
      record,
    })
  if (partitioning.by === 'file') return (_, record) => byFile(record, partitionCount)
  const {expression} = partitioning
  return (input, record) => ({partition: byExpression(expression, input, record, partitionCount), record})
}

export function partitionForKey(key: Buffer, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount
}

/** As `String.hashCode()` and `DefaultPartitionSelector` of Spring Cloud Stream: |hash|, 0 for the smallest integer. */
export function partitionForText(text: string, partitionCount: number): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitionCount
}

function byExpression(
  expression: KeyExpression,
  input: ConsumedRecord,
  record: OutgoingRecord,
  partitionCount: number,
): number {
  if (expression.of === 'partition') return input.partition % partitionCount
  const bytes = valueOf(expression, record)
  if (bytes === null) throw unaddressed(`it has no ${nameOf(expression)} to choose a partition by`)
  return partitionForText(bytes.toString('utf8'), partitionCount)
}

function valueOf(
  expression: Exclude<KeyExpression, {of: 'partition'}>,
  record: OutgoingRecord,
): Buffer | null {
  if (expression.of === 'payload') return payloadOf(record)
  if (expression.of === 'key') return record.key
  return record.headers.findLast((header) => header.key === expression.name)?.value ?? null
}

/** Mostly in one piece, and then not copied. */
function payloadOf({value}: OutgoingRecord): Buffer | null {
  if (value === null) return null
  const [only] = value
  return value.length === 1 && only !== undefined ? only : Buffer.concat(value)
}

const nameOf = (expression: KeyExpression) =>
  expression.of === 'header' ? `header ${expression.name}` : expression.of

function byFile(record: OutgoingRecord, partitionCount: number): Addressed {
  const decoded = decodeChunk({value: payloadOf(record), headers: record.headers})
  if ('poison' in decoded) throw unaddressed(`it is no chunk of a file: ${decoded.reason}`)
  return {
    partition: partitionForPath(decoded.path, partitionCount),
    record: {...record, headers: markedByFile(record.headers)},
  }
}

/** The mark is read only beside the version of streamtool's headers, which other producers do not write. */
function markedByFile(headers: readonly RecordHeader[]): RecordHeader[] {
  const version = headers.find(({key}) => key === HEADER.version)
  return [
    ...headers.filter(({key}) => key !== HEADER.partitioning),
    ...(version === undefined ? [{key: HEADER.version, value: Buffer.from('1')}] : []),
    {key: HEADER.partitioning, value: Buffer.from('file')},
  ]
}

const unaddressed = (reason: string) => new StreamtoolError('RECORD_FAILED', reason)
