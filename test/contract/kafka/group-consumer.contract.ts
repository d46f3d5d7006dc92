import {setTimeout as sleep} from 'node:timers/promises'
import {describe, expect, it} from 'vitest'
import {deferred, eventually} from '../../support/eventually.js'
import {newTopic, numbered, sendTexts, textsOf, uniqueName} from './backend.js'
import {Member} from './member.js'
import type {ContractContext} from './suite.js'

/** One member of a group: reading, positions, back-pressure, commits, stopping. */
export function groupConsumerContract({backend}: ContractContext): void {
  describe('GroupConsumer, one member', () => {
    it('tells range and committed offset of each partition, and reads from where it is told to', async () => {
      const topic = await newTopic(backend(), 2)
      const groupId = uniqueName('group')
      await sendTexts(backend(), {topic, partition: 0}, numbered('record', 10))
      await backend().admin.resetOffsets(groupId, [{topic, partition: 0, offset: 4, metadata: 'st1:map'}])
      const member = Member.start(
        backend(),
        {topics: [topic], groupId},
        {startAt: ({end}) => Math.max(0, end - 3)},
      )
      try {
        await member.untilRead(0, 3)
        expect([...member.assignments[0]!.partitions].sort((a, b) => a.partition - b.partition)).toEqual([
          {topic, partition: 0, start: 0, end: 10, committed: {offset: 4, metadata: 'st1:map'}},
          {topic, partition: 1, start: 0, end: 0, committed: null},
        ])
        expect(member.offsetsOf(0)).toEqual([7, 8, 9])
      } finally {
        await member.stop()
      }
    })

    it('awaits `assigned` before the first batch', async () => {
      const topic = await newTopic(backend())
      await sendTexts(backend(), {topic, partition: 0}, ['early'])
      const ready = deferred()
      const member = Member.start(backend(), {topics: [topic]}, {assigned: () => ready.promise})
      try {
        await member.until('an epoch begins', () => member.assignments.length === 1)
        await sleep(2 * backend().timing.heartbeatMs)
        expect(member.batches).toEqual([])
        ready.resolve()
        await member.untilRead(0, 1)
      } finally {
        ready.resolve()
        await member.stop()
      }
    })

    it('reads every record of every partition once, in order, while more are written', async () => {
      const topic = await newTopic(backend(), 3)
      const member = Member.start(backend(), {topics: [topic]})
      try {
        for (let round = 0; round < 20; round++)
          await Promise.all(
            [0, 1, 2].map((partition) =>
              sendTexts(backend(), {topic, partition}, numbered(`p${partition}`, 50, round * 50)),
            ),
          )
        await Promise.all([0, 1, 2].map((partition) => member.untilRead(partition, 1000)))
        for (const partition of [0, 1, 2]) {
          expect(textsOf(member.recordsOf(partition))).toEqual(numbered(`p${partition}`, 1000))
          expect(member.offsetsOf(partition)).toEqual(Array.from({length: 1000}, (_, offset) => offset))
        }
        for (const batch of member.batches) {
          expect(batch.records.every(({partition}) => partition === batch.partition)).toBe(true)
          expect(batch.nextOffset).toBeGreaterThan(batch.records.at(-1)?.offset ?? -1)
          expect(batch.endOffset).toBeGreaterThanOrEqual(batch.nextOffset)
        }
      } finally {
        await member.stop()
      }
    })

    it('does not hand over a batch before the one before it is done with', async () => {
      const topic = await newTopic(backend(), 2)
      let running = 0
      const overlaps: number[] = []
      const member = Member.start(
        backend(),
        {topics: [topic]},
        {
          records: async () => {
            overlaps.push(++running)
            await sleep(5)
            running--
          },
        },
      )
      try {
        for (let round = 0; round < 10; round++)
          for (const partition of [0, 1])
            await sendTexts(backend(), {topic, partition}, numbered('record', 10))
        await Promise.all([member.untilRead(0, 100), member.untilRead(1, 100)])
        expect(Math.max(...overlaps)).toBe(1)
      } finally {
        await member.stop()
      }
    })

    it('holds what comes later while a handler is slow, and stays in the group beyond its session', async () => {
      const topic = await newTopic(backend())
      await sendTexts(backend(), {topic, partition: 0}, numbered('record', 5))
      const slow = deferred()
      const member = Member.start(backend(), {topics: [topic]}, {records: () => slow.promise})
      try {
        await member.untilRead(0, 5)
        await sendTexts(backend(), {topic, partition: 0}, numbered('record', 5, 5))
        await sleep(2 * backend().timing.sessionTimeoutMs)
        expect(member.batches).toHaveLength(1)
        expect(await backend().admin.groupMembers(member.groupId)).toHaveLength(1)
        slow.resolve()
        await member.untilRead(0, 10)
        expect(textsOf(member.recordsOf(0))).toEqual(numbered('record', 10))
        expect(member.assignments).toHaveLength(1)
        await member.epoch.commit([{topic, partition: 0, offset: 10, metadata: ''}])
      } finally {
        slow.resolve()
        await member.stop()
      }
    })

    it('drops what was fetched already when the position is moved', async () => {
      const topic = await newTopic(backend())
      await sendTexts(backend(), {topic, partition: 0}, numbered('record', 100))
      const held = deferred()
      let first = true
      const member = Member.start(
        backend(),
        {topics: [topic]},
        {
          records: async ({epoch}) => {
            if (!first) return
            first = false
            await held.promise
            epoch.seek({topic, partition: 0}, 50)
          },
        },
      )
      try {
        await member.untilRead(0, 100)
        await sendTexts(backend(), {topic, partition: 0}, numbered('record', 10, 100))
        // Time for the next answer to be fetched behind the one that is held.
        await sleep(2 * backend().timing.heartbeatMs)
        held.resolve()
        await member.untilRead(0, 160)
        expect(textsOf(member.recordsOf(0))).toEqual([
          ...numbered('record', 100),
          ...numbered('record', 60, 50),
        ])
      } finally {
        held.resolve()
        await member.stop()
      }
    })

    it('drops the batch of another partition that came in the same answer', async () => {
      const topic = await newTopic(backend(), 2)
      for (const partition of [0, 1]) await sendTexts(backend(), {topic, partition}, numbered('record', 10))
      let first: number | null = null
      const member = Member.start(
        backend(),
        {topics: [topic]},
        {
          records: ({epoch, partition}) => {
            if (first !== null) return
            first = partition
            epoch.seek({topic, partition: 1 - partition}, 5)
          },
        },
      )
      try {
        await member.until('something is read', () => first !== null)
        const other = 1 - first!
        await member.until('the other is read', () => member.position(other) === 10)
        expect(member.offsetsOf(first!)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
        expect(member.offsetsOf(other)).toEqual([5, 6, 7, 8, 9])
      } finally {
        await member.stop()
      }
    })

    it('moves the position of a partition that stands at its end', async () => {
      const topic = await newTopic(backend(), 2)
      await sendTexts(backend(), {topic, partition: 1}, numbered('record', 10))
      const member = Member.start(backend(), {topics: [topic]})
      try {
        await member.untilRead(1, 10)
        member.epoch.seek({topic, partition: 1}, 8)
        await member.untilRead(1, 12)
        expect(member.offsetsOf(1).slice(10)).toEqual([8, 9])
      } finally {
        await member.stop()
      }
    })

    it('asks where to go on when the position is beyond the end', async () => {
      const topic = await newTopic(backend())
      await sendTexts(backend(), {topic, partition: 0}, numbered('record', 5))
      const member = Member.start(backend(), {topics: [topic]}, {startAt: () => 1000, outOfRange: () => 3})
      try {
        await member.untilRead(0, 2)
        const asked = member.events.filter(({type}) => type === 'out of range')
        expect(asked).toEqual([
          {type: 'out of range', range: {topic, partition: 0, start: 0, end: 5}, position: 1000},
        ])
        expect(member.offsetsOf(0)).toEqual([3, 4])
      } finally {
        await member.stop()
      }
    })

    it('commits offsets with metadata of up to 4,096 bytes, which the next member is told', async () => {
      const topic = await newTopic(backend())
      const groupId = uniqueName('group')
      await sendTexts(backend(), {topic, partition: 0}, numbered('record', 5))
      const metadata = `st1:${'m'.repeat(4092)}`
      const member = Member.start(backend(), {topics: [topic], groupId})
      await member.untilRead(0, 5)
      await member.epoch.commit([{topic, partition: 0, offset: 5, metadata}])
      expect(await backend().admin.committedOffsets(groupId, topic)).toEqual([
        {topic, partition: 0, offset: 5, metadata},
      ])
      await member.stop()

      const successor = Member.start(backend(), {topics: [topic], groupId})
      await successor.untilAssigned([0])
      expect(successor.assignments[0]!.partitions[0]!.committed).toEqual({offset: 5, metadata})
      await successor.stop()
    })

    it('refuses to commit metadata of 4,097 bytes, and goes on', async () => {
      const topic = await newTopic(backend())
      const member = Member.start(backend(), {topics: [topic]})
      try {
        await member.untilAssigned([0])
        const commit = (bytes: number) =>
          member.epoch.commit([{topic, partition: 0, offset: 0, metadata: 'm'.repeat(bytes)}])
        await expect(commit(4097)).rejects.toMatchObject({code: 'BROKER_REFUSED'})
        await commit(4096)
        await sendTexts(backend(), {topic, partition: 0}, ['later'])
        await member.untilRead(0, 1)
      } finally {
        await member.stop()
      }
    })

    it('commits nothing by itself', async () => {
      const topic = await newTopic(backend())
      await sendTexts(backend(), {topic, partition: 0}, numbered('record', 5))
      const member = Member.start(backend(), {topics: [topic]})
      await member.untilRead(0, 5)
      await member.stop()
      expect(await backend().admin.committedOffsets(member.groupId, topic)).toEqual([])
    })

    it('gives its partitions up when stopped, takes a last commit, and leaves', async () => {
      const topic = await newTopic(backend())
      const seen: boolean[] = []
      const member = Member.start(
        backend(),
        {topics: [topic]},
        {
          revoked: async (epoch) => {
            seen.push(epoch.signal.aborted)
            await epoch.commit([{topic, partition: 0, offset: 2, metadata: 'last'}])
          },
        },
      )
      await member.untilAssigned([0])
      const {epoch} = member
      await member.stop()
      expect(member.revocations).toMatchObject([{reason: 'stopping', partitions: [{topic, partition: 0}]}])
      expect(seen).toEqual([false])
      expect(epoch.signal.aborted).toBe(true)
      expect(await backend().admin.groupMembers(member.groupId)).toEqual([])
      expect(await backend().admin.committedOffsets(member.groupId, topic)).toEqual([
        {topic, partition: 0, offset: 2, metadata: 'last'},
      ])
    })

    it('stops while a handler holds a batch, and gives up first', async () => {
      const topic = await newTopic(backend())
      await sendTexts(backend(), {topic, partition: 0}, ['held'])
      const member = Member.start(
        backend(),
        {topics: [topic]},
        {
          // Full buffers: only the end of the epoch lets go of this batch.
          records: ({epoch}) =>
            new Promise((_, reject) =>
              epoch.signal.addEventListener('abort', () => reject(epoch.signal.reason as Error)),
            ),
        },
      )
      await member.untilRead(0, 1)
      await member.stop()
      expect(member.revocations).toMatchObject([{reason: 'stopping'}])
    })

    it('hands nothing over any more once it was stopped', async () => {
      const topic = await newTopic(backend())
      const revoking = deferred()
      const member = Member.start(backend(), {topics: [topic]}, {revoked: () => revoking.promise})
      await member.untilAssigned([0])
      const stopped = member.stop()
      await member.until('partitions are given up', () => member.revocations.length === 1)
      await sendTexts(backend(), {topic, partition: 0}, ['too late'])
      await sleep(2 * backend().timing.heartbeatMs)
      revoking.resolve()
      await stopped
      expect(member.batches).toEqual([])
    })

    it('does not join when stopped before', async () => {
      const topic = await newTopic(backend())
      const groupId = uniqueName('group')
      const handler = {
        assigned: () => Promise.reject(new Error('was asked')),
        records: () => Promise.reject(new Error('was asked')),
        revoked: () => Promise.reject(new Error('was asked')),
        outOfRange: () => Promise.reject(new Error('was asked')),
      }
      const consumer = backend().groupConsumer({
        topics: [topic],
        groupId,
        instanceId: null,
        leaveOnStop: true,
        ...backend().timing,
      })
      await consumer.run(handler, AbortSignal.abort())
      expect(await backend().admin.groupMembers(groupId)).toEqual([])
    })

    it.each(['assigned', 'records', 'revoked'] as const)(
      'ends with what `%s` throws, and leaves the group',
      async (call) => {
        const topic = await newTopic(backend())
        await sendTexts(backend(), {topic, partition: 0}, ['x'])
        const failure = new Error(`${call} failed`)
        const member = Member.start(backend(), {topics: [topic]}, {[call]: () => Promise.reject(failure)})
        if (call === 'revoked') {
          await member.untilAssigned([0])
          await expect(member.stop()).rejects.toBe(failure)
        }
        await expect(member.run).rejects.toBe(failure)
        await eventually(
          'the group is empty',
          async () => (await backend().admin.groupMembers(member.groupId)).length === 0,
        )
      },
    )

    it('takes a last commit after `records` has thrown', async () => {
      const topic = await newTopic(backend())
      await sendTexts(backend(), {topic, partition: 0}, ['x'])
      const failure = new Error('the disk is gone')
      const member = Member.start(
        backend(),
        {topics: [topic]},
        {
          records: () => Promise.reject(failure),
          revoked: (epoch) => epoch.commit([{topic, partition: 0, offset: 0, metadata: 'last'}]),
        },
      )
      await expect(member.run).rejects.toBe(failure)
      expect(member.revocations).toMatchObject([{reason: 'stopping'}])
      expect(await backend().admin.committedOffsets(member.groupId, topic)).toEqual([
        {topic, partition: 0, offset: 0, metadata: 'last'},
      ])
    })

    it('refuses an unknown topic', async () => {
      const member = Member.start(backend(), {topics: [uniqueName('unknown')]})
      await expect(member.run).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
    })

    it('reads several topics', async () => {
      const topics = [await newTopic(backend()), await newTopic(backend())]
      for (const topic of topics) await sendTexts(backend(), {topic, partition: 0}, [topic])
      const member = Member.start(backend(), {topics})
      try {
        await member.untilRead(0, 2)
        expect(textsOf(member.recordsOf(0)).sort()).toEqual([...topics].sort())
      } finally {
        await member.stop()
      }
    })
  })
}
