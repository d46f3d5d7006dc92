import {NO_THROTTLE_MS, type Api} from './api.js'
import type {MemberIdentity} from './group-membership.js'
import type {NodeAddress} from './metadata.js'

/**
 * ```
 * request   key key_type (1+)
 * response  throttle_ms (1+) error error_message? (1+) node_id host port
 * ```
 */
export const findCoordinator: Api<{readonly keyType: number}, FindCoordinatorResponse> = {
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 2],
  decode(reader, version) {
    reader.string()
    return {keyType: version >= 1 ? reader.int8() : GROUP_KEY}
  },
  encode(writer, {error, message, node}, version) {
    if (version >= 1) writer.int32(NO_THROTTLE_MS)
    writer.int16(error)
    if (version >= 1) writer.string(message)
    writer.int32(node.nodeId).string(node.host).int32(node.port)
  },
}

export const GROUP_KEY = 0

export interface FindCoordinatorResponse {
  readonly error: number
  readonly message: string | null
  readonly node: NodeAddress
}

/**
 * ```
 * request   [group_id] include_authorized_operations (3+)
 * response  throttle_ms (1+) [group]
 *   group   error group_id state protocol_type protocol_name [member] authorized_operations (3+)
 *   member  member_id instance_id? (4+) client_id client_host metadata assignment
 * ```
 */
export const describeGroups: Api<readonly string[], readonly GroupDescription[]> = {
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 4],
  decode: (reader) => reader.array(() => reader.string()),
  encode(writer, groups, version) {
    if (version >= 1) writer.int32(NO_THROTTLE_MS)
    writer.array(groups, ({error, groupId, state, protocolType, protocol, members}) => {
      writer.int16(error).string(groupId).string(state).string(protocolType).string(protocol)
      writer.array(members, (member) => {
        writer.string(member.memberId)
        if (version >= 4) writer.string(member.instanceId)
        writer.string(member.clientId).string(member.clientHost)
        writer.bytes(member.metadata).bytes(member.assignment)
      })
      if (version >= 3) writer.int32(OPERATIONS_NOT_ASKED_FOR)
    })
  },
}

const OPERATIONS_NOT_ASKED_FOR = -0x8000_0000

export interface GroupDescription {
  readonly error: number
  readonly groupId: string
  readonly state: string
  readonly protocolType: string
  readonly protocol: string
  readonly members: readonly MemberDescription[]
}

export interface MemberDescription extends MemberIdentity {
  readonly clientId: string
  readonly clientHost: string
  readonly metadata: Buffer
  readonly assignment: Buffer
}

/**
 * ```
 * request   -
 * response  throttle_ms (1+) error [group_id protocol_type]
 * ```
 */
export const listGroups: Api<null, readonly ListedGroup[]> = {
  key: 16,
  name: 'ListGroups',
  versions: [0, 2],
  decode: () => null,
  encode(writer, groups, version) {
    if (version >= 1) writer.int32(NO_THROTTLE_MS)
    writer.int16(0)
    writer.array(groups, ({groupId, protocolType}) => writer.string(groupId).string(protocolType))
  },
}

export type ListedGroup = Pick<GroupDescription, 'groupId' | 'protocolType'>

/**
 * ```
 * request   [group_id]
 * response  throttle_ms [group_id error]
 * ```
 */
export const deleteGroups: Api<readonly string[], readonly DeletedGroup[]> = {
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 1],
  decode: (reader) => reader.array(() => reader.string()),
  encode(writer, groups) {
    writer.int32(NO_THROTTLE_MS)
    writer.array(groups, ({groupId, error}) => writer.string(groupId).int16(error))
  },
}

export interface DeletedGroup {
  readonly groupId: string
  readonly error: number
}
