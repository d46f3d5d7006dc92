/** Why a record is not a chunk. The codes are API: they stand in events, logs and docs/wire-format.md. */
export const POISON_CODES = {
  NO_VALUE: 'the record has no value (a tombstone)',
  ENCRYPTED: 'the value is encrypted by KafkaCrypto, which streamtool cannot read',
  NOT_MSGPACK: 'the value is not a MessagePack array',
  WRONG_LENGTH: 'the array has neither 9 nor 10 elements',
  TRUNCATED: 'the value ends in the middle of an element',
  TRAILING_BYTES: 'bytes follow the array',
  WRONG_TYPE: 'an element has a type that it cannot have',
  NOT_UTF8: 'a name is not valid UTF-8',
  BAD_PATH: 'the path would leave its root, or cannot be a path',
  BAD_HASH: 'a hash is not 64 bytes long',
  BAD_RANGE: 'a number is outside its range',
  INCONSISTENT: 'the numbers contradict each other',
  CHUNK_HASH_MISMATCH: 'the data does not match the SHA-512 of the chunk',
} as const

export type PoisonCode = keyof typeof POISON_CODES

export interface Poison {
  readonly poison: PoisonCode
  /** The particulars, for people; never the bytes themselves. */
  readonly reason: string
}

export function poison(code: PoisonCode, particulars?: string): Poison {
  return {
    poison: code,
    reason: particulars === undefined ? POISON_CODES[code] : `${POISON_CODES[code]}: ${particulars}`,
  }
}
