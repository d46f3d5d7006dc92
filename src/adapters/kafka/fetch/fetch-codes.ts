/**
 * What a partition's error code in a Fetch answer calls for. What is not listed is tried again like `again`.
 * https://kafka.apache.org/protocol#protocol_error_codes
 */
export type FetchVerdict = 'fine' | 'out-of-range' | 'leader-moved' | 'again' | 'final'

const VERDICTS: Readonly<Record<number, FetchVerdict>> = {
  0: 'fine',
  1: 'out-of-range',
  2: 'again', // CORRUPT_MESSAGE: the broker's own check failed
  3: 'leader-moved', // UNKNOWN_TOPIC_OR_PARTITION: this broker has it no longer, or not yet
  5: 'leader-moved', // LEADER_NOT_AVAILABLE
  6: 'leader-moved', // NOT_LEADER_OR_FOLLOWER
  9: 'leader-moved', // REPLICA_NOT_AVAILABLE
  29: 'final', // TOPIC_AUTHORIZATION_FAILED
  56: 'leader-moved', // KAFKA_STORAGE_ERROR: the disk is gone, another replica will lead
  74: 'leader-moved', // FENCED_LEADER_EPOCH
  75: 'leader-moved', // UNKNOWN_LEADER_EPOCH
  76: 'final', // UNSUPPORTED_COMPRESSION_TYPE
  78: 'again', // OFFSET_NOT_AVAILABLE: a new leader does not know its end yet
  100: 'leader-moved', // UNKNOWN_TOPIC_ID
  103: 'leader-moved', // INCONSISTENT_TOPIC_ID
}

export const verdictOf = (errorCode: number): FetchVerdict => VERDICTS[errorCode] ?? 'again'
