/** The error codes that this broker answers with (https://kafka.apache.org/protocol#protocol_error_codes). */
export const KafkaError = {
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  MESSAGE_TOO_LARGE: 10,
  OFFSET_METADATA_TOO_LARGE: 12,
  INVALID_TOPIC: 17,
  INVALID_REQUIRED_ACKS: 21,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  INVALID_GROUP_ID: 24,
  UNKNOWN_MEMBER_ID: 25,
  INVALID_SESSION_TIMEOUT: 26,
  REBALANCE_IN_PROGRESS: 27,
  INVALID_TIMESTAMP: 32,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  INVALID_PARTITIONS: 37,
  INVALID_REPLICATION_FACTOR: 38,
  INVALID_REPLICA_ASSIGNMENT: 39,
  INVALID_CONFIG: 40,
  INVALID_REQUEST: 42,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  INVALID_PRODUCER_EPOCH: 47,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 53,
  STORAGE_ERROR: 56,
  NON_EMPTY_GROUP: 68,
  GROUP_ID_NOT_FOUND: 69,
  FETCH_SESSION_ID_NOT_FOUND: 70,
  MEMBER_ID_REQUIRED: 79,
  FENCED_INSTANCE_ID: 82,
  INVALID_RECORD: 87,
} as const
export type KafkaError = (typeof KafkaError)[keyof typeof KafkaError]
export type KafkaErrorName = keyof typeof KafkaError

/** Thrown by the log and the groups where the protocol has a code for what is wrong; the handlers answer it. */
export class Refusal extends Error {
  readonly code: KafkaError

  constructor(name: Exclude<KafkaErrorName, 'NONE'>, message: string = name) {
    super(message)
    this.code = KafkaError[name]
  }
}

/** What a piece of work gave, or the protocol's code and words for why there is nothing. */
export type Attempt<Value> =
  | {readonly error: typeof KafkaError.NONE; readonly message: null; readonly value: Value}
  | {readonly error: KafkaError; readonly message: string; readonly value: null}

/** Anything but a {@link Refusal} or trouble with the disk is a fault of ours, and passes through. */
export function attempt<Value>(work: () => Value): Attempt<Value> {
  try {
    return {error: KafkaError.NONE, message: null, value: work()}
  } catch (thrown) {
    if (thrown instanceof Refusal) return {error: thrown.code, message: thrown.message, value: null}
    if (!isSystemError(thrown)) throw thrown
    return {error: KafkaError.STORAGE_ERROR, message: thrown.message, value: null}
  }
}

function isSystemError(thrown: unknown): thrown is NodeJS.ErrnoException {
  return thrown instanceof Error && 'syscall' in thrown
}
