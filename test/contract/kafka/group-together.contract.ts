import {setTimeout as sleep} from 'node:timers/promises'
import {describe, expect, it} from 'vitest'
import type {GroupOptions} from '../../../src/core/ports/index.js'
import {newTopic, numbered, sendTexts, uniqueName} from './backend.js'
import {deferred} from '../../support/eventually.js'
import {Member, type MemberBehaviour} from './member.js'
import type {ContractContext} from './suite.js'

/** `assignment: 'together'`: one member has everything, the others stand by. */
export function groupTogetherContract({backend, kind}: ContractContext): void {
  describe('GroupConsumer, partitions kept together', () => {
    const PARTITIONS = [0, 1, 2, 3]

    interface Group {
      readonly topic: string
      readonly join: (options?: Partial<GroupOptions>, behaviour?: MemberBehaviour) => Member
      /** Ends all members, however the test went. */
      readonly end: () => Promise<void>
    }

    async function newGroup(): Promise<Group> {
      const topic = await newTopic(backend(), PARTITIONS.length)
      const groupId = uniqueName('group')
      const members: Member[] = []
      return {
        topic,
        join: (options = {}, behaviour = {}) => {
          const asked = {topics: [topic], groupId, assignment: 'together' as const, ...options}
          const member = Member.start(backend(), asked, behaviour)
          members.push(member)
          return member
        },
        end: async () => {
          await Promise.all(members.map((member) => member.stopAnyhow()))
        },
      }
    }

    const heartbeats = (count: number) => sleep(count * backend().timing.heartbeatMs)

    it('gives all to one, and leaves them there when others join and leave', async () => {
      const {topic, join, end} = await newGroup()
      try {
        const owner = join({instanceId: 'z-owner'})
        await owner.untilAssigned(PARTITIONS)
        const first = join({instanceId: 'a-standby'})
        await first.untilAssigned([])
        await owner.untilAssigned(PARTITIONS)
        const second = join({instanceId: 'b-standby'})
        await second.untilAssigned([])
        await owner.untilAssigned(PARTITIONS)
        await first.stop()
        await owner.until('it heard of the one that left', () => owner.assignments.length === 4)
        await owner.untilAssigned(PARTITIONS)
        for (const partition of PARTITIONS) await sendTexts(backend(), {topic, partition}, ['x'])
        for (const partition of PARTITIONS) await owner.untilRead(partition, 1)
        expect(second.batches.flatMap(({records}) => records)).toEqual([])
      } finally {
        await end()
      }
    })

    it('gives all of them to a standby when their owner leaves', async () => {
      const {topic, join, end} = await newGroup()
      try {
        const owner = join({sessionTimeoutMs: 30_000})
        await owner.untilAssigned(PARTITIONS)
        const standby = join({sessionTimeoutMs: 30_000})
        await standby.untilAssigned([])
        await owner.untilAssigned(PARTITIONS)
        await owner.epoch.commit([{topic, partition: 2, offset: 0, metadata: 'left by the owner'}])
        await owner.stop()
        await standby.untilAssigned(PARTITIONS)
        const assigned = standby.assignments.at(-1)!.partitions.find(({partition}) => partition === 2)
        expect(assigned!.committed).toEqual({offset: 0, metadata: 'left by the owner'})
        await sendTexts(backend(), {topic, partition: 3}, numbered('record', 3))
        await standby.untilRead(3, 3)
      } finally {
        await end()
      }
    })

    if (kind.levers.includes('expireMember'))
      it('gives all of them to a standby when the session of their owner ends, for good', async () => {
        const {join, end} = await newGroup()
        const isBack = deferred()
        try {
          const owner = join(
            {},
            {revoked: (_, reason) => (reason === 'lost' ? isBack.promise : Promise.resolve())},
          )
          await owner.untilAssigned(PARTITIONS)
          const [ownersMember] = await backend().admin.groupMembers(owner.groupId)
          const standby = join()
          await standby.untilAssigned([])
          await owner.untilAssigned(PARTITIONS)
          await backend().levers.expireMember!(owner.groupId, ownersMember!.memberId)
          await standby.untilAssigned(PARTITIONS)
          isBack.resolve()
          await owner.until('it came back', () => owner.partitions?.length === 0)
          await standby.untilAssigned(PARTITIONS)
        } finally {
          isBack.resolve()
          await end()
        }
      })

    it('waits for a static owner that is restarted', async () => {
      const {join, end} = await newGroup()
      const hall = {instanceId: 'hall-3', leaveOnStop: false, sessionTimeoutMs: 10_000}
      try {
        const before = join(hall)
        await before.untilAssigned(PARTITIONS)
        const standby = join({sessionTimeoutMs: 10_000})
        await standby.untilAssigned([])
        await before.untilAssigned(PARTITIONS)
        const {generation} = before.epoch
        await before.stop()
        const after = join(hall)
        await after.untilAssigned(PARTITIONS)
        await heartbeats(3)
        expect(after.epoch.generation).toBe(generation)
        expect(standby.partitions).toEqual([])
        // And the next rebalance finds it the owner.
        const late = join()
        await late.untilAssigned([])
        await after.untilAssigned(PARTITIONS)
        await standby.untilAssigned([])
        await after.stop()
        await backend().levers.expireMember?.(after.groupId, await memberIdOf(after.groupId, 'hall-3'))
      } finally {
        await end()
      }
    })

    it('keeps several topics with the same member', async () => {
      const {topic, join, end} = await newGroup()
      const other = await newTopic(backend(), 3)
      try {
        const members = [1, 2, 3].map(() => join({topics: [topic, other]}))
        const sizes = () => members.map(({partitions}) => partitions?.length ?? -1).sort((a, b) => b - a)
        await members[0]!.until('one has all', () => sizes().join() === '7,0,0')
        const owner = members.find(({partitions}) => partitions?.length === 7)!
        await owner.stop()
        const left = members.filter((member) => member !== owner)
        await left[0]!.until('another has all', () => left.some(({partitions}) => partitions?.length === 7))
      } finally {
        await end()
      }
    })

    it('holds for the whole group as long as one member asks for it', async () => {
      const {join, end} = await newGroup()
      try {
        const spread = [1, 2].map(() => join({assignment: 'spread'}))
        const sizes = (members: Member[]) =>
          members.map(({partitions}) => partitions?.length ?? -1).sort((a, b) => b - a)
        await spread[0]!.until('both have a share', () => sizes(spread).join() === '2,2')
        const together = join()
        await together.until('one has all', () => sizes([...spread, together]).join() === '4,0,0')
        await together.stop()
        await spread[0]!.until('both have a share again', () => sizes(spread).join() === '2,2')
      } finally {
        await end()
      }
    })

    it('regroups when a static member comes back that asks for something else now', async () => {
      const {join, end} = await newGroup()
      const hall = {instanceId: 'hall-3', leaveOnStop: false, sessionTimeoutMs: 10_000}
      try {
        const before = join({...hall, assignment: 'spread'})
        const other = join({assignment: 'spread', sessionTimeoutMs: 10_000})
        await other.until(
          'they share',
          () => before.partitions?.length === 2 && other.partitions?.length === 2,
        )
        await before.stop()
        const after = join({...hall, assignment: 'together'})
        await after.until('one has all', () =>
          [after, other].some(({partitions}) => partitions?.length === PARTITIONS.length),
        )
        await after.stop()
        const again = join({...hall, assignment: 'spread'})
        await again.until(
          'they share',
          () => again.partitions?.length === 2 && other.partitions?.length === 2,
        )
        await again.stop()
        await backend().levers.expireMember?.(again.groupId, await memberIdOf(again.groupId, 'hall-3'))
      } finally {
        await end()
      }
    })

    async function memberIdOf(groupId: string, instanceId: string): Promise<string> {
      const members = await backend().admin.groupMembers(groupId)
      return members.find((member) => member.instanceId === instanceId)!.memberId
    }
  })
}
