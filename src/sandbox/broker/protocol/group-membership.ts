/** What members of a consumer group say. An instance id makes a member static (KIP-345). */
import {
  api,
  array,
  bytes,
  int16,
  int32,
  nullableString,
  since,
  string,
  struct,
  throttleMs,
  versions,
  type Field,
  type RequestOf,
  type ResponseOf,
} from './schema.js'

export interface MemberIdentity {
  readonly memberId: string
  readonly instanceId: string | null
}

export interface GenerationRequest extends MemberIdentity {
  readonly groupId: string
  readonly generation: number
}

/** From version 4 on a new dynamic member is only given its id, and joins again with it (KIP-394). */
const isGivenIdFirst: Field<boolean> = {read: (_, version) => version >= 4, write: () => undefined}

export const joinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 5],
  request: struct({
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: since(1, int32, null),
    memberId: string,
    instanceId: since(5, nullableString, null),
    protocolType: string,
    /** In the member's order of preference. */
    protocols: array(struct({name: string, metadata: bytes})),
    isGivenIdFirst,
  }),
  response: struct({
    throttleMs: since(2, throttleMs),
    error: int16,
    generation: int32,
    protocol: string,
    leaderId: string,
    memberId: string,
    /** Everybody for the leader, nobody for the others. */
    members: array(struct({memberId: string, instanceId: since(5, nullableString, null), metadata: bytes})),
  }),
})
export type JoinRequest = RequestOf<typeof joinGroup>
export type GroupProtocol = JoinRequest['protocols'][number]
export type JoinResult = ResponseOf<typeof joinGroup>

export function refusedJoin(error: number): JoinResult {
  return {error, generation: -1, protocol: '', leaderId: '', memberId: '', members: []}
}

export const syncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 3],
  request: struct({
    groupId: string,
    generation: int32,
    memberId: string,
    instanceId: since(3, nullableString, null),
    assignments: array(struct({memberId: string, assignment: bytes})),
  }),
  response: struct({throttleMs: since(1, throttleMs), error: int16, assignment: bytes}),
})
export type SyncRequest = RequestOf<typeof syncGroup>
export type SyncResult = ResponseOf<typeof syncGroup>

export function refusedSync(error: number): SyncResult {
  return {error, assignment: Buffer.alloc(0)}
}

export const heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 3],
  request: struct({
    groupId: string,
    generation: int32,
    memberId: string,
    instanceId: since(3, nullableString, null),
  }),
  response: struct({throttleMs: since(1, throttleMs), error: int16}),
})

/** From version 3 on several members can leave in one request, each with an error of its own. */
export const leaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 3],
  request: struct({
    groupId: string,
    memberId: versions(0, 2, string, null),
    members: since(3, array(struct({memberId: string, instanceId: nullableString})), []),
  }),
  response: struct({
    throttleMs: since(1, throttleMs),
    error: int16,
    members: since(3, array(struct({memberId: string, instanceId: nullableString, error: int16})), []),
  }),
})
