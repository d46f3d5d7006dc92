import {NO_THROTTLE_MS, type Api} from './api.js'
import type {WireReader} from './wire-reader.js'

/** Who speaks, in the requests of a member that has joined. */
export interface MemberIdentity {
  readonly memberId: string
  /** Of a static member (KIP-345). */
  readonly instanceId: string | null
}

export interface GenerationRequest extends MemberIdentity {
  readonly groupId: string
  readonly generation: number
}

function readGenerationRequest(reader: WireReader, hasInstanceId: boolean): GenerationRequest {
  const groupId = reader.string()
  const generation = reader.int32()
  const memberId = reader.string()
  return {groupId, generation, memberId, instanceId: hasInstanceId ? reader.nullableString() : null}
}

/**
 * ```
 * request   group_id session_timeout_ms rebalance_timeout_ms (1+) member_id instance_id? (5+) protocol_type
 *           [protocol_name metadata]
 * response  throttle_ms (2+) error generation protocol_name leader_id member_id
 *           [member_id instance_id? (5+) metadata]
 * ```
 * From version 4 on a new dynamic member is only given its id and joins again with it (KIP-394).
 */
export const joinGroup: Api<JoinRequest, JoinResult> = {
  key: 11,
  name: 'JoinGroup',
  versions: [0, 5],
  decode(reader, version) {
    const groupId = reader.string()
    const sessionTimeoutMs = reader.int32()
    const rebalanceTimeoutMs = version >= 1 ? reader.int32() : sessionTimeoutMs
    return {
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId: reader.string(),
      instanceId: version >= 5 ? reader.nullableString() : null,
      protocolType: reader.string(),
      protocols: reader.array(() => ({name: reader.string(), metadata: reader.bytes()})),
      mustKnowMemberId: version >= 4,
    }
  },
  encode(writer, {error, generation, protocol, leaderId, memberId, members}, version) {
    if (version >= 2) writer.int32(NO_THROTTLE_MS)
    writer.int16(error).int32(generation).string(protocol).string(leaderId).string(memberId)
    writer.array(members, (member) => {
      writer.string(member.memberId)
      if (version >= 5) writer.string(member.instanceId)
      writer.bytes(member.metadata)
    })
  },
}

export interface JoinRequest extends MemberIdentity {
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  /** In the member's order of preference. */
  readonly protocols: readonly GroupProtocol[]
  readonly mustKnowMemberId: boolean
}

export interface GroupProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinResult {
  readonly error: number
  readonly generation: number
  readonly protocol: string
  readonly leaderId: string
  readonly memberId: string
  /** Everybody's metadata for the leader, nothing for the others. */
  readonly members: readonly (MemberIdentity & {readonly metadata: Buffer})[]
}

export function refusedJoin(error: number): JoinResult {
  return {error, generation: -1, protocol: '', leaderId: '', memberId: '', members: []}
}

/**
 * ```
 * request   group_id generation member_id instance_id? (3+) [member_id assignment]
 * response  throttle_ms (1+) error assignment
 * ```
 */
export const syncGroup: Api<SyncRequest, SyncResult> = {
  key: 14,
  name: 'SyncGroup',
  versions: [0, 3],
  decode(reader, version) {
    const member = readGenerationRequest(reader, version >= 3)
    const assignments = reader.array(() => [reader.string(), reader.bytes()] as const)
    return {...member, assignments: new Map(assignments)}
  },
  encode(writer, {error, assignment}, version) {
    if (version >= 1) writer.int32(NO_THROTTLE_MS)
    writer.int16(error).bytes(assignment)
  },
}

export interface SyncRequest extends GenerationRequest {
  /** By member id; the leader's are used. */
  readonly assignments: ReadonlyMap<string, Buffer>
}

export interface SyncResult {
  readonly error: number
  readonly assignment: Buffer
}

export function refusedSync(error: number): SyncResult {
  return {error, assignment: Buffer.alloc(0)}
}

/**
 * ```
 * request   group_id generation member_id instance_id? (3+)
 * response  throttle_ms (1+) error
 * ```
 */
export const heartbeat: Api<GenerationRequest, {readonly error: number}> = {
  key: 12,
  name: 'Heartbeat',
  versions: [0, 3],
  decode: (reader, version) => readGenerationRequest(reader, version >= 3),
  encode(writer, {error}, version) {
    if (version >= 1) writer.int32(NO_THROTTLE_MS)
    writer.int16(error)
  },
}

/**
 * ```
 * request   group_id member_id (0-2) [member_id instance_id?] (3+)
 * response  throttle_ms (1+) error [member_id instance_id? error] (3+)
 * ```
 */
export const leaveGroup: Api<LeaveRequest, LeaveResponse> = {
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 3],
  decode(reader, version) {
    const groupId = reader.string()
    if (version < 3) return {groupId, members: [{memberId: reader.string(), instanceId: null}]}
    const readMember = () => ({memberId: reader.string(), instanceId: reader.nullableString()})
    return {groupId, members: reader.array(readMember)}
  },
  encode(writer, {error, members}, version) {
    if (version >= 1) writer.int32(NO_THROTTLE_MS)
    if (version < 3) {
      writer.int16(error !== 0 ? error : (members[0]?.error ?? 0))
      return
    }
    writer.int16(error).array(members, (member) => {
      writer.string(member.memberId).string(member.instanceId).int16(member.error)
    })
  },
}

export interface LeaveRequest {
  readonly groupId: string
  readonly members: readonly MemberIdentity[]
}

export interface LeaveResponse {
  readonly error: number
  readonly members: readonly (MemberIdentity & {readonly error: number})[]
}
