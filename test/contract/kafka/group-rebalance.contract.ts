import {setTimeout as sleep} from 'node:timers/promises'
import {describe, expect, it} from 'vitest'
import {deferred} from '../../support/eventually.js'
import {newTopic, numbered, sendTexts, uniqueName} from './backend.js'
import {Member} from './member.js'
import type {ContractContext} from './suite.js'

/** Several members: who gets what, when epochs end, whose commits count. */
export function groupRebalanceContract({backend, kind}: ContractContext): void {
  describe('GroupConsumer, several members', () => {
    const share = (member: Member, partitions: number) =>
      member.until(`${partitions} partitions are assigned`, () => member.partitions?.length === partitions)

    it('divides the partitions, and every new record is read by one of them', async () => {
      const topic = await newTopic(backend(), 4)
      const groupId = uniqueName('group')
      const [one, two] = [1, 2].map(() => Member.start(backend(), {topics: [topic], groupId})) as [
        Member,
        Member,
      ]
      try {
        await Promise.all([share(one, 2), share(two, 2)])
        expect([...one.partitions!, ...two.partitions!].sort()).toEqual([0, 1, 2, 3])
        expect(one.epoch.generation).toBe(two.epoch.generation)
        for (const partition of [0, 1, 2, 3])
          await sendTexts(backend(), {topic, partition}, numbered('record', 10))
        await Promise.all(
          [one, two].flatMap((member) =>
            member.partitions!.map((partition) => member.untilRead(partition, 10)),
          ),
        )
        const read = [...one.batches, ...two.batches].flatMap(({records}) => records)
        expect(read).toHaveLength(40)
      } finally {
        await Promise.all([one.stop(), two.stop()])
      }
    })

    it('awaits `revoked`, takes its commit, and only then lets the other member have the partitions', async () => {
      const topic = await newTopic(backend(), 2)
      const groupId = uniqueName('group')
      await sendTexts(backend(), {topic, partition: 0}, numbered('record', 3))
      const draining = deferred()
      const signalDuring: boolean[] = []
      const one = Member.start(
        backend(),
        {topics: [topic], groupId},
        {
          revoked: async (epoch, reason) => {
            if (reason !== 'rebalance') return
            await draining.promise
            signalDuring.push(epoch.signal.aborted)
            await epoch.commit([
              {topic, partition: 0, offset: 2, metadata: 'flushed'},
              {topic, partition: 1, offset: 0, metadata: 'flushed'},
            ])
          },
        },
      )
      await one.untilRead(0, 3)
      const {epoch} = one
      const two = Member.start(backend(), {topics: [topic], groupId})
      try {
        await one.until('it is told to give up', () => one.revocations.length === 1)
        expect(one.revocations[0]).toMatchObject({reason: 'rebalance', epoch: {generation: epoch.generation}})
        await sendTexts(backend(), {topic, partition: 0}, ['for the next epoch'])
        await sleep(3 * backend().timing.heartbeatMs)
        expect(two.assignments).toEqual([])
        expect(one.recordsOf(0)).toHaveLength(3)
        draining.resolve()
        await Promise.all([share(one, 1), share(two, 1)])
        expect(signalDuring).toEqual([false])
        expect(epoch.signal.aborted).toBe(true)
        for (const member of [one, two]) {
          expect(member.epoch.generation).toBeGreaterThan(epoch.generation)
          const [assigned] = member.assignments.at(-1)!.partitions
          expect(assigned!.committed).toEqual({
            offset: assigned!.partition === 0 ? 2 : 0,
            metadata: 'flushed',
          })
        }
      } finally {
        draining.resolve()
        await Promise.all([one.stop(), two.stop()])
      }
    })

    it('refuses a commit of an epoch that is over', async () => {
      const topic = await newTopic(backend(), 2)
      const groupId = uniqueName('group')
      const one = Member.start(backend(), {topics: [topic], groupId})
      await one.untilAssigned([0, 1])
      const over = one.epoch
      await over.commit([{topic, partition: 0, offset: 7, metadata: 'in time'}])
      const two = Member.start(backend(), {topics: [topic], groupId})
      try {
        await Promise.all([share(one, 1), share(two, 1)])
        const late = over.commit([{topic, partition: 0, offset: 1, metadata: 'late'}])
        await expect(late).rejects.toMatchObject({code: 'GROUP_STALE'})
        expect(await backend().admin.committedOffsets(groupId, topic)).toEqual([
          {topic, partition: 0, offset: 7, metadata: 'in time'},
        ])
      } finally {
        await Promise.all([one.stop(), two.stop()])
      }
      const afterwards = over.commit([{topic, partition: 0, offset: 1, metadata: 'late'}])
      await expect(afterwards).rejects.toMatchObject({code: 'GROUP_STALE'})
    })

    it('ends an epoch although a handler holds a batch', async () => {
      const topic = await newTopic(backend(), 2)
      const groupId = uniqueName('group')
      await sendTexts(backend(), {topic, partition: 0}, ['held'])
      let holding = true
      const one = Member.start(
        backend(),
        {topics: [topic], groupId},
        {
          records: ({epoch}) =>
            holding
              ? new Promise((_, reject) =>
                  epoch.signal.addEventListener('abort', () => reject(epoch.signal.reason as Error)),
                )
              : undefined,
        },
      )
      await one.untilRead(0, 1)
      const two = Member.start(backend(), {topics: [topic], groupId})
      try {
        await one.until('it is told to give up', () => one.revocations.length === 1)
        holding = false
        await Promise.all([share(one, 1), share(two, 1)])
      } finally {
        await Promise.all([one.stop(), two.stop()])
      }
    })

    it('gives the partitions of a member that leaves to the others, at once', async () => {
      const topic = await newTopic(backend(), 2)
      const groupId = uniqueName('group')
      const longSession = {topics: [topic], groupId, sessionTimeoutMs: 30_000}
      const one = Member.start(backend(), longSession)
      const two = Member.start(backend(), longSession)
      try {
        await Promise.all([share(one, 1), share(two, 1)])
        const left = performance.now()
        await one.stop()
        await share(two, 2)
        expect(performance.now() - left).toBeLessThan(15_000)
      } finally {
        await one.stopAnyhow()
        await two.stop()
      }
    })

    it('keeps a member without partitions as a spare', async () => {
      const topic = await newTopic(backend(), 1)
      const groupId = uniqueName('group')
      const members = [1, 2].map(() => Member.start(backend(), {topics: [topic], groupId}))
      try {
        const busy = () => members.find(({partitions}) => partitions?.length === 1)
        const spare = () => members.find(({partitions}) => partitions?.length === 0)
        await members[0]!.until('one has it', () => busy() !== undefined && spare() !== undefined)
        const [first, second] = [busy()!, spare()!]
        expect(second.assignments.at(-1)!.partitions).toEqual([])
        await first.stop()
        await sendTexts(backend(), {topic, partition: 0}, ['x'])
        await second.untilRead(0, 1)
      } finally {
        await Promise.all(members.map((member) => member.stop()))
      }
    })

    it('assigns each topic to members that asked for it only', async () => {
      const [topicA, topicB] = [await newTopic(backend(), 2), await newTopic(backend(), 2)]
      const groupId = uniqueName('group')
      const one = Member.start(backend(), {topics: [topicA], groupId})
      const two = Member.start(backend(), {topics: [topicB], groupId})
      try {
        await Promise.all([share(one, 2), share(two, 2)])
        const topicsOf = (member: Member) => member.assignments.at(-1)!.partitions.map(({topic}) => topic)
        expect(topicsOf(one)).toEqual([topicA, topicA])
        expect(topicsOf(two)).toEqual([topicB, topicB])
      } finally {
        await Promise.all([one.stop(), two.stop()])
      }
    })

    describe('static members', () => {
      it('take their partitions over without a rebalance', async () => {
        const topic = await newTopic(backend(), 2)
        const groupId = uniqueName('group')
        const hall = {
          topics: [topic],
          groupId,
          instanceId: 'hall-3',
          leaveOnStop: false,
          sessionTimeoutMs: 10_000,
        }
        const before = Member.start(backend(), hall)
        const observer = Member.start(backend(), {topics: [topic], groupId, sessionTimeoutMs: 10_000})
        try {
          await Promise.all([share(before, 1), share(observer, 1)])
          const {generation} = before.epoch
          await before.stop()
          const after = Member.start(backend(), hall)
          await after.untilAssigned(before.assignments.at(-1)!.partitions.map(({partition}) => partition))
          expect(after.epoch.generation).toBe(generation)
          await after.epoch.commit([{...after.assignments[0]!.partitions[0]!, offset: 0, metadata: 'mine'}])
          await sleep(3 * backend().timing.heartbeatMs)
          expect(observer.epoch.generation).toBe(generation)
          await after.stop()
        } finally {
          await before.stopAnyhow()
          await observer.stop()
        }
      })

      it('leave when they were not told to stay', async () => {
        const topic = await newTopic(backend(), 2)
        const member = Member.start(backend(), {topics: [topic], instanceId: 'hall-4'})
        await member.untilAssigned([0, 1])
        await member.stop()
        expect(await backend().admin.groupMembers(member.groupId)).toEqual([])
      })

      it('are fenced by a twin, which has the partitions from then on', async () => {
        const topic = await newTopic(backend())
        const hall = {topics: [topic], groupId: uniqueName('group'), instanceId: 'hall-5'}
        const first = Member.start(backend(), hall)
        await first.untilAssigned([0])
        const {epoch} = first
        const twin = Member.start(backend(), hall)
        try {
          await expect(first.run).rejects.toMatchObject({code: 'GROUP_FENCED'})
          expect(first.revocations).toMatchObject([{reason: 'lost'}])
          expect(epoch.signal.aborted).toBe(true)
          const late = epoch.commit([{topic, partition: 0, offset: 1, metadata: 'late'}])
          await expect(late).rejects.toMatchObject({
            code: expect.stringMatching(/^GROUP_(STALE|FENCED)$/) as string,
          })
          await twin.untilAssigned([0])
          await sendTexts(backend(), {topic, partition: 0}, ['x'])
          await twin.untilRead(0, 1)
          expect(await backend().admin.committedOffsets(hall.groupId, topic)).toEqual([])
        } finally {
          await first.stopAnyhow()
          await twin.stop()
        }
      })
    })

    if (kind.levers.includes('expireMember'))
      it('tells a member whose session ended that it lost its partitions, and joins again', async () => {
        const topic = await newTopic(backend())
        const commits: Promise<unknown>[] = []
        const signalDuring: boolean[] = []
        const member = Member.start(
          backend(),
          {topics: [topic]},
          {
            revoked: async (epoch, reason) => {
              if (reason !== 'lost') return
              signalDuring.push(epoch.signal.aborted)
              const commit = epoch.commit([{topic, partition: 0, offset: 1, metadata: 'late'}])
              commits.push(commit.catch((error: unknown) => error))
            },
          },
        )
        try {
          await member.untilAssigned([0])
          const {epoch} = member
          const [expired] = await backend().admin.groupMembers(member.groupId)
          await backend().levers.expireMember!(member.groupId, expired!.memberId)
          await member.until('it joined again', () => member.assignments.length === 2)
          expect(member.revocations).toMatchObject([{reason: 'lost', epoch: {generation: epoch.generation}}])
          expect(signalDuring).toEqual([true])
          expect(await Promise.all(commits)).toMatchObject([{code: 'GROUP_STALE'}])
          expect(member.assignments[1]!.partitions[0]!.committed).toBeNull()
          await sendTexts(backend(), {topic, partition: 0}, ['x'])
          await member.untilRead(0, 1)
        } finally {
          await member.stop()
        }
      })
  })
}
