/**
 * DescribeGroups version 4, which tells the instance ids of static members; kafkajs stops at version 2.
 * Layout: https://kafka.apache.org/protocol#The_Messages_DescribeGroups
 */
import type {Buffer} from 'node:buffer'
import {BytesReader, BytesWriter} from '../bytes.js'
import type {ApiArgs, DescribedGroup} from './protocol.js'

export function encodeDescribeGroups({groupIds}: ApiArgs<'DescribeGroups'>): Buffer {
  return new BytesWriter()
    .array(groupIds, (writer, id) => writer.string(id))
    .int8(0) // include_authorized_operations
    .finish()
}

/** @throws MalformedBytes */
export function decodeDescribedGroups(payload: Buffer): {
  clientSideThrottleTime: number
  groups: DescribedGroup[]
} {
  const reader = new BytesReader(payload)
  return {clientSideThrottleTime: reader.int32(), groups: reader.array(readGroup)}
}

function readGroup(reader: BytesReader): DescribedGroup {
  const group = {
    errorCode: reader.int16(),
    groupId: reader.string(),
    state: reader.string(),
    protocolType: reader.string(),
    protocol: reader.string(),
    members: reader.array(readMember),
  }
  reader.int32() // authorized_operations
  return group
}

function readMember(reader: BytesReader): DescribedGroup['members'][number] {
  const member = {
    memberId: reader.string(),
    groupInstanceId: reader.nullableString(),
    clientId: reader.string(),
    clientHost: reader.string(),
  }
  reader.nullableBytes() // metadata
  reader.nullableBytes() // assignment
  return member
}
