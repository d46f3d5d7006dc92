import {describe, expect, it} from 'vitest'
import {newTopic, numbered, sendTexts, textRecord, uniqueName} from './backend.js'
import {Member} from './member.js'
import type {ContractContext} from './suite.js'

export function topicAdminContract({backend}: ContractContext): void {
  describe('TopicAdmin', () => {
    describe('describeTopic', () => {
      it('tells partitions, the batch limit and the cluster', async () => {
        const topic = await newTopic(backend(), 3, {'max.message.bytes': '65536'})
        const description = await backend().admin.describeTopic(topic)
        expect(description).toMatchObject({topic, partitionCount: 3, maxMessageBytes: 65_536})
        expect(description.clusterId).not.toBe('')
      })

      it('tells the limit that holds by default, and the same cluster for each topic', async () => {
        const {admin} = backend()
        const one = await admin.describeTopic(await newTopic(backend()))
        const other = await admin.describeTopic(await newTopic(backend()))
        expect(one.maxMessageBytes).toBe(1_048_588)
        expect(other.clusterId).toBe(one.clusterId)
      })

      it('refuses an unknown topic, and does not create it on the way', async () => {
        const {admin} = backend()
        const topic = uniqueName('unknown')
        await expect(admin.describeTopic(topic)).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
        await expect(admin.describeTopic(topic)).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
      })

      it('lets the broker create the topic when told so, ready to be written to', async () => {
        const topic = uniqueName('on-demand')
        const {partitionCount} = await backend().admin.describeTopic(topic, {mayCreate: true})
        expect(partitionCount).toBeGreaterThanOrEqual(1)
        expect(await sendTexts(backend(), {topic, partition: 0}, ['first'])).toBe(0)
      })
    })

    describe('createTopic', () => {
      it('leaves a topic that is there as it is', async () => {
        const topic = await newTopic(backend(), 2)
        await sendTexts(backend(), {topic, partition: 1}, ['kept'])
        await backend().admin.createTopic(topic, {partitions: 5})
        expect((await backend().admin.describeTopic(topic)).partitionCount).toBe(2)
        expect(await backend().admin.partitionRanges(topic)).toContainEqual({
          topic,
          partition: 1,
          start: 0,
          end: 1,
        })
      })

      it('resolves when every partition can be written to', async () => {
        const topic = await newTopic(backend(), 4)
        const offsets = await Promise.all(
          [0, 1, 2, 3].map((partition) => sendTexts(backend(), {topic, partition}, ['first'])),
        )
        expect(offsets).toEqual([0, 0, 0, 0])
      })
    })

    describe('partitionRanges', () => {
      it('lists every partition in order, empty ones too', async () => {
        const topic = await newTopic(backend(), 3)
        await sendTexts(backend(), {topic, partition: 1}, numbered('record', 7))
        expect(await backend().admin.partitionRanges(topic)).toEqual([
          {topic, partition: 0, start: 0, end: 0},
          {topic, partition: 1, start: 0, end: 7},
          {topic, partition: 2, start: 0, end: 0},
        ])
      })

      it('refuses an unknown topic', async () => {
        const ranges = backend().admin.partitionRanges(uniqueName('unknown'))
        await expect(ranges).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
      })
    })

    describe('offsetAt', () => {
      const sendAt = (topic: string, partition: number, timesMs: readonly number[]) =>
        backend().producer.send({
          topic,
          partition,
          records: timesMs.map((timestampMs) => ({...textRecord(`at ${timestampMs}`), timestampMs})),
        })
      const DAY_MS = Date.UTC(2024, 4, 1)
      const offsetsAt = (topic: string, timestampMs: number) => backend().admin.offsetAt(topic, timestampMs)

      it('tells of each partition the first offset of that time or later, and leaves out who has none', async () => {
        const topic = await newTopic(backend(), 3)
        await sendAt(topic, 0, [DAY_MS, DAY_MS + 1000])
        await sendAt(topic, 0, [DAY_MS + 2000, DAY_MS + 3000])
        await sendAt(topic, 1, [DAY_MS + 500])
        const both = (first: number) => new Map([0, 1].map((partition) => [partition, partition ? 0 : first]))
        expect(await offsetsAt(topic, 0)).toEqual(both(0))
        expect(await offsetsAt(topic, DAY_MS + 500)).toEqual(both(1))
        expect(await offsetsAt(topic, DAY_MS + 2001)).toEqual(new Map([[0, 3]]))
        expect(await offsetsAt(topic, DAY_MS + 3001)).toEqual(new Map())
      })

      it('takes the first that is late enough when times are not in order', async () => {
        const topic = await newTopic(backend())
        for (const timeMs of [3000, 1000, 4000, 2000]) await sendAt(topic, 0, [DAY_MS + timeMs])
        expect(await offsetsAt(topic, DAY_MS + 2000)).toEqual(new Map([[0, 0]]))
        expect(await offsetsAt(topic, DAY_MS + 3500)).toEqual(new Map([[0, 2]]))
      })

      it('refuses an unknown topic', async () => {
        const offsets = backend().admin.offsetAt(uniqueName('unknown'), DAY_MS)
        await expect(offsets).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
      })
    })

    describe('committed offsets', () => {
      it('knows none of a group that never was', async () => {
        const topic = await newTopic(backend())
        expect(await backend().admin.committedOffsets(uniqueName('group'), topic)).toEqual([])
      })

      it('gives back what was set, and only partitions that have an offset', async () => {
        const topic = await newTopic(backend(), 3)
        const group = uniqueName('group')
        const offsets = [
          {topic, partition: 0, offset: 3, metadata: 'st1:abc'},
          {topic, partition: 2, offset: 0, metadata: ''},
        ]
        await backend().admin.resetOffsets(group, offsets)
        expect(await backend().admin.committedOffsets(group, topic)).toEqual(offsets)
      })

      it('keeps the offsets of another topic and another group apart', async () => {
        const [topic, other] = [await newTopic(backend()), await newTopic(backend())]
        const group = uniqueName('group')
        await backend().admin.resetOffsets(group, [{topic, partition: 0, offset: 1, metadata: 'mine'}])
        expect(await backend().admin.committedOffsets(group, other)).toEqual([])
        expect(await backend().admin.committedOffsets(uniqueName('group'), topic)).toEqual([])
      })

      it('moves an idle group again, backwards too', async () => {
        const topic = await newTopic(backend())
        const group = uniqueName('group')
        const {admin} = backend()
        await admin.resetOffsets(group, [{topic, partition: 0, offset: 9, metadata: 'far'}])
        await admin.resetOffsets(group, [{topic, partition: 0, offset: 2, metadata: ''}])
        expect(await admin.committedOffsets(group, topic)).toEqual([
          {topic, partition: 0, offset: 2, metadata: ''},
        ])
      })

      it.each([
        ['4,096 bytes', 'x'.repeat(4096)],
        ["anybody's, not ASCII", 'offset-syncs {"Übersicht": "3 µm"} \u0000 \u{1f4c4}'],
      ])('returns metadata as it was given: %s', async (_, metadata) => {
        const topic = await newTopic(backend())
        const group = uniqueName('group')
        await backend().admin.resetOffsets(group, [{topic, partition: 0, offset: 1, metadata}])
        const [committed] = await backend().admin.committedOffsets(group, topic)
        expect(committed?.metadata).toBe(metadata)
      })

      it('refuses metadata of 4,097 bytes', async () => {
        const topic = await newTopic(backend())
        const metadata = 'x'.repeat(4097)
        const reset = backend().admin.resetOffsets(uniqueName('group'), [
          {topic, partition: 0, offset: 1, metadata},
        ])
        await expect(reset).rejects.toMatchObject({code: 'BROKER_REFUSED'})
      })

      it('does not move a group that has members', async () => {
        const topic = await newTopic(backend())
        const member = Member.start(backend(), {topics: [topic]})
        try {
          await member.untilAssigned([0])
          const offsets = [{topic, partition: 0, offset: 0, metadata: ''}]
          const reset = backend().admin.resetOffsets(member.groupId, offsets)
          await expect(reset).rejects.toMatchObject({code: 'GROUP_BUSY'})
          await member.stop()
          await backend().admin.resetOffsets(member.groupId, offsets)
          expect(await backend().admin.committedOffsets(member.groupId, topic)).toEqual(offsets)
        } finally {
          await member.stopAnyhow()
        }
      })
    })

    describe('groupMembers', () => {
      it('lists none of a group that never was', async () => {
        expect(await backend().admin.groupMembers(uniqueName('group'))).toEqual([])
      })

      it('lists members with their instance ids while they are there', async () => {
        const topic = await newTopic(backend(), 2)
        const groupId = uniqueName('group')
        const fixed = Member.start(backend(), {topics: [topic], groupId, instanceId: 'hall-3'})
        const other = Member.start(backend(), {topics: [topic], groupId})
        try {
          await fixed.until('both share', () => (fixed.partitions?.length ?? 0) === 1)
          await other.until('both share', () => (other.partitions?.length ?? 0) === 1)
          const members = await backend().admin.groupMembers(groupId)
          expect(members.map(({instanceId}) => instanceId).sort()).toEqual(['hall-3', null])
          expect(new Set(members.map(({memberId}) => memberId)).size).toBe(2)
          await Promise.all([fixed.stop(), other.stop()])
          expect(await backend().admin.groupMembers(groupId)).toEqual([])
        } finally {
          await Promise.all([fixed.stopAnyhow(), other.stopAnyhow()])
        }
      })
    })
  })
}
