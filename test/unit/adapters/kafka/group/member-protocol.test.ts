import {AssignerProtocol} from 'kafkajs'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {MalformedBytes} from '../../../../../src/adapters/kafka/bytes.js'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../../../src/adapters/kafka/group/member-protocol.js'

const owned = [
  {topic: 'a', partition: 0},
  {topic: 'a', partition: 3},
  {topic: 'b', partition: 1},
]

/** What others than us do not say. */
const nothingSaid = {counts: new Map<string, number>(), asked: null, inForce: null}

describe('what members tell each other', () => {
  it('comes back as it was sent', () => {
    const subscription = {topics: ['a', 'ü'], owned, generation: 7, assignment: 'together' as const}
    expect(decodeSubscription(encodeSubscription(subscription))).toEqual(subscription)
    const assignment = {
      partitions: owned,
      counts: new Map([
        ['a', 4],
        ['b', 2],
      ]),
      asked: 'spread' as const,
      inForce: 'together' as const,
    }
    expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment)
  })

  it('can be read by other clients', () => {
    const subscription = encodeSubscription({topics: ['a', 'b'], owned, generation: 7, assignment: 'spread'})
    expect(AssignerProtocol.MemberMetadata.decode(subscription)).toMatchObject({topics: ['a', 'b']})
    const assignment = encodeAssignment({partitions: owned, ...nothingSaid})
    expect(AssignerProtocol.MemberAssignment.decode(assignment)).toMatchObject({
      assignment: {a: [0, 3], b: [1]},
    })
  })

  it('reads what other clients write', () => {
    const userData = Buffer.from('theirs')
    const subscription = AssignerProtocol.MemberMetadata.encode({version: 0, topics: ['a'], userData})
    expect(decodeSubscription(subscription)).toEqual({
      topics: ['a'],
      owned: [],
      generation: -1,
      assignment: null,
    })
    const assignment = AssignerProtocol.MemberAssignment.encode({
      version: 0,
      assignment: {a: [2]},
      userData,
    })
    expect(decodeAssignment(assignment)).toEqual({
      partitions: [{topic: 'a', partition: 2}],
      ...nothingSaid,
    })
  })

  it('takes no bytes for no partitions', () => {
    expect(decodeAssignment(Buffer.alloc(0)).partitions).toEqual([])
  })

  it('keeps a topic named like a property of every object apart', () => {
    const partitions = [{topic: '__proto__', partition: 0}]
    const assignment = {partitions, ...nothingSaid, counts: new Map([['__proto__', 1]])}
    expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment)
  })

  it('refuses hostile bytes, without reading past them or believing their lengths', () => {
    const long = Buffer.alloc(10)
    long.writeInt32BE(0x7fffffff, 2)
    expect(() => decodeSubscription(long)).toThrow(MalformedBytes)
    const negative = encodeAssignment({partitions: [{topic: 'a', partition: -5}], ...nothingSaid})
    expect(() => decodeAssignment(negative)).toThrow(MalformedBytes)
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 60}), (bytes) => {
        for (const decode of [decodeSubscription, decodeAssignment]) {
          try {
            decode(Buffer.from(bytes))
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedBytes)
          }
        }
      }),
    )
  })
})
