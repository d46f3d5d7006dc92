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
    assignment: 'together',
    ...facts,
  }
}

const allOf = (topic: string, count: number): TopicPartition[] =>
  Array.from({length: count}, (_, partition) => ({topic, partition}))

const sizes = (assignment: Map<string, TopicPartition[]>) =>
  Object.fromEntries([...assignment].map(([memberId, partitions]) => [memberId, partitions.length]))

describe('assignPartitions, together', () => {
  const counts = new Map([['files', 4]])

  it('gives all partitions to one, the first by instance id, and lets the others stand by', () => {
    const members = [member('a'), member('c', {instanceId: 'host-2'}), member('b', {instanceId: 'host-1'})]
    expect(sizes(assignPartitions(members, counts))).toEqual({a: 0, b: 4, c: 0})
  })

  it('leaves them with their owner when somebody of better standing comes', () => {
    const owner = member('z', {owned: allOf('files', 4), ownedGeneration: 2})
    const members = [member('a', {instanceId: 'host-1'}), owner, member('b', {ownedGeneration: 2})]
    expect(sizes(assignPartitions(members, counts))).toEqual({a: 0, b: 0, z: 4})
  })

  it('gives new partitions of the topic to the owner of the old ones', () => {
    const owner = member('z', {owned: allOf('files', 4), ownedGeneration: 2})
    expect(sizes(assignPartitions([member('a'), owner], new Map([['files', 9]])))).toEqual({a: 0, z: 9})
  })

  it('believes the newer of two owners: the other was away when the group went on', () => {
    const away = member('a', {owned: allOf('files', 4), ownedGeneration: 2})
    const owner = member('z', {owned: allOf('files', 4), ownedGeneration: 3})
    expect(sizes(assignPartitions([away, owner], counts))).toEqual({a: 0, z: 4})
  })

  it('holds for everybody when one member asks for it', () => {
    const members = [member('a', {assignment: 'spread'}), member('b'), member('c', {assignment: null})]
    expect(sizes(assignPartitions(members, counts))).toEqual({a: 4, b: 0, c: 0})
  })

  it('moves as little as it can when a group that was spread changes to it', () => {
    const owned = allOf('files', 4)
    const members = [
      member('a', {owned: owned.slice(0, 1), ownedGeneration: 5}),
      member('b', {owned: owned.slice(1), ownedGeneration: 5}),
    ]
    expect(sizes(assignPartitions(members, counts))).toEqual({a: 0, b: 4})
  })

  it('keeps a topic with its owner, also when that wants fewer topics than another', () => {
    const members = [
      member('a', {topics: ['t1'], owned: allOf('t1', 2), ownedGeneration: 1}),
      member('b', {topics: ['t1', 't2'], owned: allOf('t2', 8), ownedGeneration: 1}),
    ]
    const assignment = assignPartitions(
      members,
      new Map([
        ['t1', 2],
        ['t2', 8],
      ]),
    )
    expect(assignment.get('a')).toEqual(allOf('t1', 2))
    expect(assignment.get('b')).toEqual(allOf('t2', 8))
  })

  const topics = ['t1', 't2', 't3']
  const anyMembers = fc.uniqueArray(
    fc.record({
      memberId: fc.string({minLength: 1, maxLength: 4}),
      instanceId: fc.option(fc.string({minLength: 1, maxLength: 3})),
      topics: fc.constant(topics),
      owned: fc.array(fc.record({topic: fc.constantFrom(...topics), partition: fc.nat(12)})),
      ownedGeneration: fc.integer({min: -1, max: 3}),
      assignment: fc.constant('together' as const),
    }),
    {selector: (m) => m.memberId, minLength: 1, maxLength: 6},
  )
  const anyCounts = fc
    .tuple(fc.nat(10), fc.nat(10), fc.nat(10))
    .map((each) => new Map(topics.map((topic, i) => [topic, each[i]!])))

  it('keeps several topics together, and with the same member whoever joins or leaves beside it', () => {
    fc.assert(
      fc.property(anyMembers, anyMembers, anyCounts, (members, others, given) => {
        const first = assignPartitions(members, given)
        const [ownerId, owned] = [...first].find(([, partitions]) => partitions.length > 0) ?? ['', []]
        fc.pre(owned.length > 0)
        expect([...first.values()].filter((partitions) => partitions.length > 0)).toHaveLength(1)
        const owner = {...members.find((m) => m.memberId === ownerId)!, owned, ownedGeneration: 9}
        const newcomers = others.filter((m) => m.memberId !== ownerId)
        expect(assignPartitions([...newcomers, owner], given).get(ownerId)).toEqual(owned)
      }),
    )
  })
})
