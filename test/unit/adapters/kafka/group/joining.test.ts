import {describe, expect, it} from 'vitest'
import {ASSIGNOR_NAME} from '../../../../../src/adapters/kafka/group/assignor.js'
import {Coordinator} from '../../../../../src/adapters/kafka/group/coordinator.js'
import {Joining} from '../../../../../src/adapters/kafka/group/joining.js'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../../../src/adapters/kafka/group/member-protocol.js'
import type {Cluster} from '../../../../../src/adapters/kafka/transport/cluster.js'
import {
  ProtocolFailure,
  TransportFailure,
  isRetriable,
} from '../../../../../src/adapters/kafka/transport/failures.js'
import {errorOfCode} from '../../../../../src/adapters/kafka/transport/kafkajs-internals.js'
import {patiently} from '../../../../../src/adapters/kafka/transport/patience.js'
import type {AssignmentMode} from '../../../../../src/core/ports/index.js'
import type {ApiAnswer, ApiArgs} from '../../../../../src/adapters/kafka/transport/protocol.js'
import {silentLogger} from '../../../../support/delivery.js'
import {hastyClock} from '../clocks.js'

type JoinArgs = ApiArgs<'JoinGroup'>
type SyncArgs = ApiArgs<'SyncGroup'>
type JoinAnswer = ApiAnswer<'JoinGroup'>

const code = {
  loading: 14,
  notCoordinator: 16,
  illegalGeneration: 22,
  inconsistentProtocol: 23,
  unknownMember: 25,
  rebalance: 27,
  memberIdRequired: 79,
  fenced: 82,
}
const refusal = (errorCode: number, memberId?: string) =>
  new ProtocolFailure(errorOfCode(errorCode), memberId === undefined ? {} : {memberId})

interface Script {
  readonly join?: (args: JoinArgs, turn: number, signal?: AbortSignal) => JoinAnswer | Promise<JoinAnswer>
  readonly sync?: (args: SyncArgs, turn: number) => Buffer | null
  readonly counts?: Readonly<Record<string, number>>
}

const followerOf = (generationId: number, memberId = 'me'): JoinAnswer => ({
  generationId,
  groupProtocol: ASSIGNOR_NAME,
  leaderId: 'somebody',
  memberId,
  members: [],
})

/** What a leader says that knows nothing of modes. */
const nothingSaid = {counts: new Map<string, number>(), asked: null, inForce: null}
const noPartitions = encodeAssignment({partitions: [], ...nothingSaid})

function joiningWith(
  {join = () => followerOf(1), sync = () => noPartitions, counts = {}}: Script,
  instanceId: string | null = null,
  assignment: AssignmentMode = 'spread',
) {
  const joins: JoinArgs[] = []
  const syncs: SyncArgs[] = []
  const searched: string[] = []
  const cluster: Partial<Cluster> = {
    addresses: 'scripted:9092',
    coordinatorOf: async (groupId) => {
      searched.push(groupId)
      return {nodeId: searched.length, host: 'scripted', port: 9092, rack: null}
    },
    refreshMetadata: async () => undefined,
    partitionCount: (topic) => counts[topic] ?? null,
    patiently: (attempt, {signal, retriable = isRetriable} = {}) =>
      patiently(attempt, {clock: hastyClock, signal, limitMs: (error) => (retriable(error) ? 5_000 : 0)}),
    request: async (_broker: unknown, api: string, args: object, _options: unknown, signal?: AbortSignal) => {
      signal?.throwIfAborted()
      if (api === 'JoinGroup') {
        joins.push(args as JoinArgs)
        return join(args as JoinArgs, joins.length, signal)
      }
      syncs.push(args as SyncArgs)
      return {memberAssignment: sync(args as SyncArgs, syncs.length)}
    },
  }
  const options = {
    topics: ['files'],
    groupId: 'lab',
    instanceId,
    assignment,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 20_000,
  }
  const joining = new Joining(new Coordinator(cluster as Cluster, 'lab'), options, hastyClock, silentLogger)
  const stop = new AbortController()
  return {joining, joins, syncs, searched, stop, join: () => joining.join(stop.signal)}
}

describe('Joining', () => {
  it('comes back with the member id that the broker gives, and takes what the leader assigned', async () => {
    const partitions = [{topic: 'files', partition: 3}]
    const assignment = encodeAssignment({partitions, ...nothingSaid, counts: new Map([['files', 4]])})
    const {join, joins, syncs} = joiningWith({
      join: (_args, turn) => {
        if (turn === 1) throw refusal(code.memberIdRequired, 'me')
        return followerOf(7)
      },
      sync: () => assignment,
    })
    expect(await join()).toMatchObject({
      generation: 7,
      memberId: 'me',
      partitions,
      counts: new Map([['files', 4]]),
    })
    expect(joins.map(({memberId}) => memberId)).toEqual(['', 'me'])
    expect(joins[0]).toMatchObject({sessionTimeout: 10_000, rebalanceTimeout: 20_000, groupInstanceId: null})
    expect(syncs).toMatchObject([{generationId: 7, memberId: 'me', groupAssignment: []}])
  })

  it('is not fenced for good by a coordinator that died before it had written the newcomer down', async () => {
    const {join, joins} = joiningWith(
      {
        join: ({memberId}, turn) => {
          if (turn === 2) throw refusal(code.fenced)
          return followerOf(3, memberId === '' ? `given-${turn}` : memberId)
        },
        sync: (_args, turn) => {
          if (turn === 1) throw refusal(code.notCoordinator)
          return noPartitions
        },
      },
      'hall-3',
    )
    expect(await join()).toMatchObject({memberId: 'given-3'})
    expect(joins.map(({memberId}) => memberId)).toEqual(['', 'given-1', ''])
  })

  it('is fenced when another process has its instance id: at once when it had joined before, else at the second time', async () => {
    const fencing = {join: ({memberId}: JoinArgs) => followerOf(1, memberId || 'me'), isFenced: false}
    const script: Script = {
      join: (args) => {
        if (fencing.isFenced) throw refusal(code.fenced)
        return fencing.join(args)
      },
    }
    const veteran = joiningWith(script, 'hall-3')
    await veteran.join()
    fencing.isFenced = true
    await expect(veteran.join()).rejects.toMatchObject({type: 'FENCED_INSTANCE_ID'})
    expect(veteran.joins).toHaveLength(2)

    const newcomer = joiningWith(
      {
        sync: () => {
          throw refusal(code.fenced)
        },
      },
      'hall-3',
    )
    await expect(newcomer.join()).rejects.toMatchObject({type: 'FENCED_INSTANCE_ID'})
    expect(newcomer.syncs).toHaveLength(2)
  })

  it('shares out as the leader: to each what it asked for, to one that talks nonsense nothing', async () => {
    const subscription = (topics: string[]) =>
      encodeSubscription({topics, owned: [], generation: -1, assignment: null})
    const {join, syncs} = joiningWith({
      counts: {files: 2, other: 1},
      join: () => ({
        ...followerOf(3),
        leaderId: 'me',
        members: [
          {memberId: 'me', groupInstanceId: 'a', memberMetadata: subscription(['files'])},
          {memberId: 'you', groupInstanceId: 'b', memberMetadata: subscription(['files', 'other', 'unseen'])},
          {memberId: 'odd', groupInstanceId: null, memberMetadata: Buffer.from([9])},
        ],
      }),
    })
    await join()
    const given = syncs[0]!.groupAssignment.map(({memberId, memberAssignment}) => {
      const {partitions, counts} = decodeAssignment(memberAssignment)
      return [memberId, partitions.map(({topic, partition}) => `${topic}/${partition}`), [...counts]]
    })
    const counts = [
      ['files', 2],
      ['other', 1],
    ]
    expect(given).toEqual([
      ['me', ['files/0'], counts],
      ['you', ['files/1', 'other/0'], counts],
      ['odd', [], counts],
    ])
  })

  it('joins again when the group has regrouped before it was in, with the same words', async () => {
    const {join, joins} = joiningWith({
      join: (_args, turn) => followerOf(turn),
      sync: (_args, turn) => {
        if (turn === 1) throw refusal(code.rebalance)
        if (turn === 2) throw refusal(code.illegalGeneration)
        return noPartitions
      },
    })
    expect((await join()).generation).toBe(3)
    expect(joins.map(({memberId}) => memberId)).toEqual(['', 'me', 'me'])
    expect(new Set(joins.map(({groupProtocols}) => groupProtocols[0]!.metadata.toString('hex'))).size).toBe(1)
  })

  it('comes as a new member when the broker has forgotten it', async () => {
    const {join, joins, joining} = joiningWith({
      join: ({memberId}) => {
        if (memberId === 'old') throw refusal(code.unknownMember)
        return followerOf(1, 'new')
      },
    })
    joining.memberId = 'old'
    expect((await join()).memberId).toBe('new')
    expect(joins.map(({memberId}) => memberId)).toEqual(['old', ''])
  })

  it('claims what it gives up, so that a follower makes the group regroup', async () => {
    const partitions = [{topic: 'files', partition: 1}]
    const {join, joins, joining} = joiningWith({
      sync: () => encodeAssignment({partitions, ...nothingSaid}),
    })
    joining.claim(await join())
    await join()
    expect(joins.map(({groupProtocols}) => decodeSubscription(groupProtocols[0]!.metadata))).toEqual([
      {topics: ['files'], owned: [], generation: -1, assignment: 'spread'},
      {topics: ['files'], owned: partitions, generation: 1, assignment: 'spread'},
    ])
  })

  it('makes the group regroup, once, when it comes back with another wish than its predecessor had', async () => {
    const partitions = [{topic: 'files', partition: 0}]
    const {join, joins} = joiningWith(
      {
        join: (_args, turn) => followerOf(turn),
        // The second answer is of a leader that still does not know.
        sync: () => encodeAssignment({partitions, ...nothingSaid, asked: 'spread', inForce: 'spread'}),
      },
      'hall-3',
      'together',
    )
    expect((await join()).generation).toBe(2)
    expect(joins.map(({groupProtocols}) => decodeSubscription(groupProtocols[0]!.metadata))).toEqual([
      {topics: ['files'], owned: [], generation: -1, assignment: 'together'},
      {topics: ['files'], owned: partitions, generation: 1, assignment: 'together'},
    ])
  })

  it('as the leader tells everybody what it took them to ask for, and what holds', async () => {
    const wishes = {me: 'spread', you: 'together', odd: null} as const
    const {join, syncs} = joiningWith({
      counts: {files: 2},
      join: () => ({
        ...followerOf(3),
        leaderId: 'me',
        members: Object.entries(wishes).map(([memberId, assignment]) => ({
          memberId,
          groupInstanceId: null,
          memberMetadata: encodeSubscription({topics: ['files'], owned: [], generation: -1, assignment}),
        })),
      }),
    })
    await join()
    const told = syncs[0]!.groupAssignment.map(({memberId, memberAssignment}) => {
      const {partitions, asked, inForce} = decodeAssignment(memberAssignment)
      return [memberId, partitions.length, asked, inForce]
    })
    expect(told).toEqual([
      ['me', 2, 'spread', 'together'],
      ['you', 0, 'together', 'together'],
      ['odd', 0, null, 'together'],
    ])
  })

  it('looks for the coordinator again when it has moved, is away or not ready', async () => {
    const troubles: Error[] = [
      refusal(code.notCoordinator),
      new TransportFailure('lost', 'scripted:9092', 'gone'),
      refusal(code.loading),
    ]
    const {join, searched} = joiningWith({
      join: () => {
        const trouble = troubles.shift()
        if (trouble !== undefined) throw trouble
        return followerOf(1)
      },
    })
    await join()
    expect(searched).toEqual(['lab', 'lab', 'lab', 'lab'])
  })

  it('gives up when the outage lasts longer than is tolerated', async () => {
    const gone = new TransportFailure('unreachable', 'scripted:9092', 'refused')
    const {join} = joiningWith({
      join: () => {
        throw gone
      },
    })
    await expect(join()).rejects.toBe(gone)
  })

  it.each([
    ['another protocol', code.inconsistentProtocol],
    ['a twin', code.fenced],
  ])('does not try again against %s', async (_what, errorCode) => {
    const {join, joins} = joiningWith({
      join: () => {
        throw refusal(errorCode)
      },
    })
    await expect(join()).rejects.toMatchObject({code: errorCode})
    expect(joins).toHaveLength(1)
  })

  it('refuses an assignment that cannot be read', async () => {
    const {join} = joiningWith({sync: () => Buffer.from([0, 1, 255])})
    await expect(join()).rejects.toMatchObject({code: 'GROUP_INCOMPATIBLE', message: /lab/})
  })

  it('stops at once when told to, though the broker has parked it', async () => {
    const {join, joining, stop} = joiningWith({
      join: (_args, _turn, signal) =>
        new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error))),
    })
    const reason = new Error('enough')
    setTimeout(() => stop.abort(reason), 10)
    await expect(join()).rejects.toBe(reason)
    expect(joining.wasStoppedWhileJoining).toBe(true)
  })
})
