import {describe, expect, it} from 'vitest'
import {newTopic, numbered, sendTexts, textsOf} from './backend.js'
import {Member} from './member.js'
import type {ContractContext} from './suite.js'

/** What happens on the broker's side while clients work; each needs a lever that not every backend has. */
export function brokerEventsContract({backend, kind}: ContractContext): void {
  const has = (lever: (typeof kind.levers)[number]) => kind.levers.includes(lever)

  describe('what happens on the broker', () => {
    if (has('trimLog'))
      it('asks where to go on when the log was trimmed beyond the position', async () => {
        const topic = await newTopic(backend())
        await sendTexts(backend(), {topic, partition: 0}, numbered('record', 10))
        await backend().levers.trimLog!({topic, partition: 0}, 6)
        expect(await backend().admin.partitionRanges(topic)).toEqual([
          {topic, partition: 0, start: 6, end: 10},
        ])
        const member = Member.start(backend(), {topics: [topic]}, {startAt: () => 2})
        try {
          await member.untilRead(0, 4)
          expect(member.events.filter(({type}) => type === 'out of range')).toEqual([
            {type: 'out of range', range: {topic, partition: 0, start: 6, end: 10}, position: 2},
          ])
          expect(member.offsetsOf(0)).toEqual([6, 7, 8, 9])
        } finally {
          await member.stop()
        }
      })

    if (has('appendAborted'))
      it('moves the position over records that nobody may see, at the end too', async () => {
        const topic = await newTopic(backend())
        const partition = {topic, partition: 0}
        await sendTexts(backend(), partition, ['before'])
        await backend().levers.appendAborted!(partition, 3)
        await sendTexts(backend(), partition, ['between'])
        await backend().levers.appendAborted!(partition, 2)
        const [range] = await backend().admin.partitionRanges(topic)
        expect(range!.end).toBeGreaterThanOrEqual(7)
        const member = Member.start(backend(), {topics: [topic]})
        try {
          await member.until('the end is reached', () => member.position(0) === range!.end)
          expect(textsOf(member.recordsOf(0))).toEqual(['before', 'between'])
          await sendTexts(backend(), partition, ['after'])
          await member.untilRead(0, 3)
          expect(member.recordsOf(0)[2]!.offset).toBe(range!.end)
        } finally {
          await member.stop()
        }
      })

    if (has('addPartitions'))
      it('regroups when a topic gains partitions', async () => {
        const topic = await newTopic(backend(), 1)
        const member = Member.start(backend(), {topics: [topic]})
        try {
          await member.untilAssigned([0])
          await backend().levers.addPartitions!(topic, 3)
          await sendTexts(backend(), {topic, partition: 2}, ['on a new partition'])
          await member.untilRead(2, 1)
          expect(member.revocations).toMatchObject([{reason: 'rebalance'}])
          expect(member.partitions).toEqual([0, 1, 2])
        } finally {
          await member.stop()
        }
      })

    if (has('restart'))
      it('is waited out while the broker restarts: nothing is lost, nothing comes twice', async () => {
        const topic = await newTopic(backend(), 2)
        const member = Member.start(backend(), {topics: [topic], sessionTimeoutMs: 30_000})
        try {
          await sendTexts(backend(), {topic, partition: 0}, numbered('before', 100))
          await member.untilRead(0, 100)
          await member.epoch.commit([{topic, partition: 0, offset: 100, metadata: 'kept'}])
          const restarted = backend().levers.restart!()
          const sent = [0, 1].map((partition) =>
            sendTexts(backend(), {topic, partition}, numbered('meanwhile', 10)),
          )
          await restarted
          const offsets = await Promise.all(sent)
          await Promise.all([
            member.until('partition 0 is read', () => member.position(0) >= offsets[0]! + 10),
            member.until('partition 1 is read', () => member.position(1) >= offsets[1]! + 10),
          ])
          const firstEpoch = member.assignments[0]!.epoch
          for (const partition of [0, 1]) {
            const inOneEpoch = member.batches
              .filter((batch) => batch.partition === partition && batch.epoch === firstEpoch)
              .flatMap(({records}) => records.map(({offset}) => offset))
            expect(inOneEpoch).toEqual(inOneEpoch.map((_, index) => index))
            const ever = new Set(member.offsetsOf(partition))
            expect(ever.size).toBe(member.position(partition))
          }
          expect(await backend().admin.committedOffsets(member.groupId, topic)).toEqual([
            {topic, partition: 0, offset: 100, metadata: 'kept'},
          ])
        } finally {
          await member.stop()
        }
      })
  })
}
