/**
 * Records from one topic to another, one by one: what is decided about each, without doing it.
 *
 *     record -> transform (tried again with growing pauses) -> headers -> partition
 *                   └ attempts used up -> the same record, with headers that say what failed
 *
 * Whatever a transform leaves alone stays as it was, byte for byte: key, value or its absence, headers with their order
 * and repetitions, time.
 */
export {withContentType} from './content-type.js'
export {deadLetterTopicOf, FAILED_RECORD_HEADER, failedRecord, TOLD_IN_SHORT} from './failed-record.js'
export {
  type Addressed,
  type KeyExpression,
  partitionerOf,
  type Partitioner,
  type Partitioning,
} from './partitioning.js'
export {graphemesOf, type ReverseBy, reverseText, reverseValue, reversing} from './reverse.js'
export {forwarded, identity, type RecordTransform, type Transformed, withValue} from './transform.js'
