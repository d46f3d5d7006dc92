/**
 * DescribeGroups version 4, which tells the instance ids of static members; kafkajs stops at version 2.
 * Layout: https://kafka.apache.org/protocol#The_Messages_DescribeGroups
 */
import {Buffer} from 'node:buffer'
import type {ApiArgs, DescribedGroup} from './protocol.js'

export function encodeDescribeGroups({groupIds}: ApiArgs<'DescribeGroups'>): Buffer {
  const ids = groupIds.map((id) => Buffer.from(id))
  const body = Buffer.alloc(4 + ids.reduce((sum, id) => sum + 2 + id.length, 0) + 1)
  let position = body.writeInt32BE(ids.length, 0)
  for (const id of ids) {
    position = body.writeInt16BE(id.length, position)
    position += id.copy(body, position)
  }
  body.writeInt8(0, position) // include_authorized_operations
  return body
}

/** @throws RangeError when the answer is cut short */
export function decodeDescribedGroups(payload: Buffer): {
  clientSideThrottleTime: number
  groups: DescribedGroup[]
} {
  let position = 0
  const int16 = () => payload.readInt16BE((position += 2) - 2)
  const int32 = () => payload.readInt32BE((position += 4) - 4)
  const bytes = (length: number): Buffer | null => {
    if (length < 0) return null
    if (position + length > payload.length) throw new RangeError('the answer is cut short')
    return payload.subarray(position, (position += length))
  }
  const string = () => bytes(int16())?.toString() ?? null
  const list = <T>(item: () => T): T[] => {
    const items: T[] = []
    for (let left = int32(); left > 0; left--) items.push(item())
    return items
  }
  const member = () => {
    const description = {
      memberId: string() ?? '',
      groupInstanceId: string(),
      clientId: string() ?? '',
      clientHost: string() ?? '',
    }
    bytes(int32()) // metadata
    bytes(int32()) // assignment
    return description
  }
  return {
    clientSideThrottleTime: int32(),
    groups: list(() => {
      const group = {
        errorCode: int16(),
        groupId: string() ?? '',
        state: string() ?? '',
        protocolType: string() ?? '',
        protocol: string() ?? '',
        members: list(member),
      }
      int32() // authorized_operations
      return group
    }),
  }
}
