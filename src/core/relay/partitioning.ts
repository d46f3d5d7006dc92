/** Which partition of the output a record goes to. */
import {murmur2} from '../chunk/partitioning.js'

/**
 * - `key`: by the record's key, as Kafka's default partitioner does. Records without a key stay with those they came
 *   with: what is in one partition of the input goes to one of the output, in order.
 * - `expression`: by the Java hash code of a value, as Spring Cloud Stream does with `partitionKeyExpression`.
 * - `file`: by the path of the file that the record is a chunk of.
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

export function partitionForKey(key: Buffer, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount
}

/** As `String.hashCode()` and `DefaultPartitionSelector` of Spring Cloud Stream: |hash|, 0 for the smallest integer. */
export function partitionForText(text: string, partitionCount: number): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitionCount
}
