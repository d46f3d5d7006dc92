import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {assignPartitions, type AssignableMember} from '../../../../../src/adapters/kafka/group/assignor.js'
import type {TopicPartition} from '../../../../../src/core/record.js'

function member(memberId: string, facts: Partial<AssignableMember> = {}): AssignableMember {
  return {
    memberId,
    instanceId: null,
    topics: ['files'],
    owned: [],
    ownedGeneration: -1,
    assignment: 'spread',
    ...facts,
  }
}

const names = (partitions: readonly TopicPartition[] | undefined) =>
  (partitions ?? []).map(({topic, partition}) => `${topic}/${partition}`)

const readable = (assignment: Map<string, TopicPartition[]>) =>
  Object.fromEntries([...assignment].map(([memberId, partitions]) => [memberId, names(partitions)]))

describe('assignPartitions', () => {
  it('shares evenly, static members in the order of their instance ids first', () => {
    const members = [
      member('z', {instanceId: null}),
      member('y', {instanceId: 'host-1'}),
      member('x', {instanceId: 'host-2'}),
    ]
    expect(readable(assignPartitions(members, new Map([['files', 4]])))).toEqual({
      y: ['files/0', 'files/1'],
      x: ['files/2'],
      z: ['files/3'],
    })
  })

  it('gives nobody a topic that it did not ask for, whoever leads', () => {
    const members = [member('a', {topics: ['left']}), member('b', {topics: ['right', 'left']})]
    const assignment = assignPartitions(
      members,
      new Map([
        ['left', 2],
        ['right', 2],
        ['nobody', 2],
      ]),
    )
    expect(readable(assignment)).toEqual({a: ['left/0'], b: ['left/1', 'right/0', 'right/1']})
  })

  it('lets a member that stays keep what it has when another comes or goes', () => {
    const counts = new Map([['files', 6]])
    const first = assignPartitions([member('a'), member('b')], counts)
    const keeping = (id: string) => member(id, {owned: first.get(id) ?? [], ownedGeneration: 1})
    const second = assignPartitions([member('c'), keeping('a'), keeping('b')], counts)
    for (const id of ['a', 'b']) {
      expect(second.get(id)).toHaveLength(2)
      expect(names(first.get(id))).toEqual(expect.arrayContaining(names(second.get(id))))
    }
    const third = assignPartitions([keeping('b')], counts)
    expect(third.get('b')).toHaveLength(6)
  })

  it('believes the newer of two claims to a partition', () => {
    const owned = [{topic: 'files', partition: 1}]
    const members = [member('a', {owned, ownedGeneration: 3}), member('b', {owned, ownedGeneration: 4})]
    expect(readable(assignPartitions(members, new Map([['files', 2]])))).toEqual({
      a: ['files/0'],
      b: ['files/1'],
    })
  })

  it('ignores claims to partitions that the topic does not have', () => {
    const owned = [{topic: 'files', partition: 1_000_000_000}]
    const assignment = assignPartitions([member('a', {owned})], new Map([['files', 1]]))
    expect(readable(assignment)).toEqual({a: ['files/0']})
  })

  it('names members that get nothing', () => {
    const assignment = assignPartitions([member('a'), member('b')], new Map([['files', 1]]))
    expect(readable(assignment)).toEqual({a: ['files/0'], b: []})
  })

  const topics = ['t1', 't2', 't3']
  const anyMembers = fc.uniqueArray(
    fc.record({
      memberId: fc.string({minLength: 1, maxLength: 4}),
      instanceId: fc.option(fc.string({minLength: 1, maxLength: 3})),
      topics: fc.subarray(topics),
      owned: fc.array(fc.record({topic: fc.constantFrom(...topics), partition: fc.nat(12)})),
      ownedGeneration: fc.integer({min: -1, max: 3}),
      assignment: fc.constantFrom('spread' as const, 'together' as const, null),
    }),
    {selector: (m) => m.memberId, minLength: 1, maxLength: 8},
  )
  const anyCounts = fc
    .tuple(fc.nat(10), fc.nat(10), fc.nat(10))
    .map((counts) => new Map(topics.map((topic, i) => [topic, counts[i]!])))

  it('gives every partition that anybody wants to exactly one member who wants it', () => {
    fc.assert(
      fc.property(anyMembers, anyCounts, (members, counts) => {
        const assignment = assignPartitions(members, counts)
        const given = members.flatMap((m) => names(assignment.get(m.memberId)))
        const wanted = topics.filter((topic) => members.some((m) => m.topics.includes(topic)))
        const all = wanted.flatMap((topic) =>
          Array.from({length: counts.get(topic)!}, (_, partition) => `${topic}/${partition}`),
        )
        expect([...given].sort()).toEqual([...all].sort())
        for (const m of members) {
          for (const {topic} of assignment.get(m.memberId)!) expect(m.topics).toContain(topic)
        }
      }),
    )
  })

  it('does not depend on the order in which the broker lists the members', () => {
    fc.assert(
      fc.property(anyMembers, anyCounts, fc.infiniteStream(fc.nat()), (members, counts, dice) => {
        const shuffled = members
          .map((m) => ({m, at: dice.next().value as number}))
          .sort((a, b) => a.at - b.at)
          .map(({m}) => m)
        expect(readable(assignPartitions(shuffled, counts))).toEqual(
          readable(assignPartitions(members, counts)),
        )
      }),
    )
  })

  it('is even: members that want the same differ by one partition at most', () => {
    fc.assert(
      fc.property(anyMembers, anyCounts, (members, counts) => {
        const alike = members.map((m) => ({...m, topics, assignment: 'spread' as const}))
        const sizes = [...assignPartitions(alike, counts).values()].map((p) => p.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('changes nothing when the same members join again with what they were given', () => {
    fc.assert(
      fc.property(anyMembers, anyCounts, (members, counts) => {
        const first = assignPartitions(members, counts)
        const again = members.map((m) => ({...m, owned: first.get(m.memberId)!, ownedGeneration: 9}))
        expect(readable(assignPartitions(again, counts))).toEqual(readable(first))
      }),
    )
  })
})
