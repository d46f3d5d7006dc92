/** What groups have committed. */
import {
  api,
  byTopic,
  array,
  fixed,
  int16,
  int32,
  int64,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  throttleMs,
  versions,
  type RequestOf,
} from './schema.js'

export const offsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 7],
  request: struct({
    groupId: string,
    generation: int32,
    memberId: string,
    instanceId: since(7, nullableString, null),
    retentionMs: versions(2, 4, fixed(int64, -1)),
    topics: byTopic(
      struct({
        partition: int32,
        offset: int64,
        leaderEpoch: since(6, fixed(int32, -1)),
        metadata: nullableString,
      }),
    ),
  }),
  response: struct({
    throttleMs: since(3, throttleMs),
    topics: byTopic(struct({partition: int32, error: int16})),
  }),
})
export type OffsetCommitRequest = RequestOf<typeof offsetCommit>

export interface CommittedPosition {
  readonly partition: number
  readonly offset: number
  readonly metadata: string | null
}

export const offsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 4],
  request: struct({
    groupId: string,
    /** Null, from version 2 on: all that the group has committed. */
    topics: nullableArray(struct({topic: string, partitions: array(int32)})),
  }),
  response: struct({
    throttleMs: since(3, throttleMs),
    topics: byTopic(
      struct({partition: int32, offset: int64, metadata: nullableString, error: fixed(int16, 0)}),
    ),
    error: since(2, fixed(int16, 0)),
  }),
})
export type OffsetFetchRequest = RequestOf<typeof offsetFetch>
