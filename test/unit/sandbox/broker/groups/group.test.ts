import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'
import {Group} from '../../../../../src/sandbox/broker/groups/group.js'
import {KafkaError, type KafkaErrorName} from '../../../../../src/sandbox/broker/protocol/errors.js'
import type {
  JoinRequest,
  JoinResult,
  SyncResult,
} from '../../../../../src/sandbox/broker/protocol/group-membership.js'

const SESSION_MS = 10_000
const REBALANCE_MS = 30_000
const CLIENT = {clientId: 'client', clientHost: '/127.0.0.1'}
const refusal = (name: KafkaErrorName) => expect.objectContaining({code: KafkaError[name]}) as unknown
const protocol = (name: string, metadata = 'm') => ({name, metadata: Buffer.from(metadata)})

let group: Group

beforeEach(() => {
  vi.useFakeTimers()
  group = new Group('g')
})

afterEach(() => {
  group.close()
  expect(vi.getTimerCount(), 'timers left by a closed group').toBe(0)
  vi.useRealTimers()
})

function join(request: Partial<JoinRequest> = {}): Promise<JoinResult> {
  const defaults = {
    ...{groupId: 'g', memberId: '', instanceId: null, protocolType: 'consumer', protocols: [protocol('p')]},
    ...{sessionTimeoutMs: SESSION_MS, rebalanceTimeoutMs: REBALANCE_MS, isGivenIdFirst: false},
  }
  return group.join({...defaults, ...request}, CLIENT)
}

type Membership = Pick<JoinResult, 'memberId' | 'generation'> & {readonly instanceId?: string}

const identity = ({memberId, generation, instanceId}: Membership) => ({
  ...{groupId: 'g', memberId, generation},
  instanceId: instanceId ?? null,
})

function sync(member: Membership, assignments: Record<string, string> = {}): Promise<SyncResult> {
  const given = Object.entries(assignments).map(([memberId, text]) => {
    return {memberId, assignment: Buffer.from(text)}
  })
  return group.sync({...identity(member), assignments: given})
}

const beat = (member: Membership) => group.heartbeat(identity(member))
const assignmentOf = async (answer: Promise<SyncResult>) => (await answer).assignment.toString()
const state = () => group.describe().state

/** A stable group of one. */
async function stableGroup(request: Partial<JoinRequest> = {}): Promise<JoinResult> {
  const leader = await join(request)
  await sync({...leader, ...instanceOf(request)}, {[leader.memberId]: 'all'})
  return leader
}

const instanceOf = ({instanceId}: Partial<JoinRequest>) => (instanceId ? {instanceId} : {})

/** Whether a parked request has been answered yet. */
function watch<Value>(answer: Promise<Value>): {readonly value: Value | null} {
  const watched: {value: Value | null} = {value: null}
  void answer.then((value) => (watched.value = value))
  return watched
}

/** Makes a group of one stable, and lets a second member join it. */
async function pair(): Promise<{leader: JoinResult; follower: JoinResult}> {
  const first = await stableGroup()
  const joining = join()
  const [leader, follower] = await Promise.all([join({memberId: first.memberId}), joining])
  const assignments = {[leader.memberId]: 'one', [follower.memberId]: 'two'}
  await Promise.all([sync(follower), sync(leader, assignments)])
  return {leader, follower}
}

describe('joining', () => {
  it('makes the first member the leader of generation 1, which assigns', async () => {
    const leader = await join()
    expect(leader).toMatchObject({error: 0, generation: 1, protocol: 'p', leaderId: leader.memberId})
    expect(leader.members).toEqual([
      {memberId: leader.memberId, instanceId: null, metadata: Buffer.from('m')},
    ])
    expect(state()).toBe('CompletingRebalance')
    expect(await assignmentOf(sync(leader, {[leader.memberId]: 'all'}))).toBe('all')
    expect(state()).toBe('Stable')
  })

  it('waits for all members, and tells the old ones by their heartbeats', async () => {
    const first = await stableGroup()
    const second = watch(join())
    expect(state()).toBe('PreparingRebalance')
    expect(() => beat(first)).toThrow(refusal('REBALANCE_IN_PROGRESS'))
    await vi.advanceTimersByTimeAsync(1000)
    expect(second.value).toBeNull()

    const leader = await join({memberId: first.memberId})
    await vi.advanceTimersByTimeAsync(0)
    expect(leader).toMatchObject({generation: 2, leaderId: first.memberId})
    expect(leader.members).toHaveLength(2)
    expect(second.value).toMatchObject({generation: 2, leaderId: first.memberId, members: []})
  })

  it('parks a follower in SyncGroup until the leader has assigned', async () => {
    const {leader, follower} = await pair()
    const again = join({memberId: leader.memberId})
    const followers = join({memberId: follower.memberId})
    const [first, second] = await Promise.all([again, followers])
    const parked = sync(second)
    const waiting = watch(parked)
    await vi.advanceTimersByTimeAsync(1000)
    expect(waiting.value).toBeNull()
    expect(await assignmentOf(sync(first, {[second.memberId]: 'yours'}))).toBe('')
    expect(await assignmentOf(parked)).toBe('yours')
  })

  it('gives a new dynamic member its id first, and waits for it as long as a session', async () => {
    const leader = await stableGroup()
    const announced = await join({isGivenIdFirst: true})
    expect(announced).toMatchObject({error: KafkaError.MEMBER_ID_REQUIRED, generation: -1})
    expect(announced.memberId).toMatch(/^client-/)
    expect(state()).toBe('Stable')

    const rejoined = watch(join({memberId: leader.memberId}))
    await vi.advanceTimersByTimeAsync(SESSION_MS - 1)
    expect(rejoined.value).toBeNull()
    await vi.advanceTimersByTimeAsync(1)
    expect(rejoined.value).toMatchObject({generation: 2})
    await expect(join({memberId: announced.memberId})).rejects.toEqual(refusal('UNKNOWN_MEMBER_ID'))
  })

  it('admits whom it has given an id', async () => {
    const {memberId} = await join({isGivenIdFirst: true})
    expect(await join({memberId, isGivenIdFirst: true})).toMatchObject({
      error: 0,
      memberId,
      leaderId: memberId,
    })
  })

  it('goes on without members that do not join in time', async () => {
    const first = await stableGroup()
    const second = watch(join())
    const beats = setInterval(() => expect(() => beat(first)).toThrow(refusal('REBALANCE_IN_PROGRESS')), 3000)
    await vi.advanceTimersByTimeAsync(REBALANCE_MS - 1)
    expect(second.value).toBeNull()
    clearInterval(beats)
    await vi.advanceTimersByTimeAsync(1)
    expect(second.value).toMatchObject({generation: 2, leaderId: second.value!.memberId})
    expect(() => beat(first)).toThrow(refusal('UNKNOWN_MEMBER_ID'))
  })

  it('drops members that have joined but never sync', async () => {
    const {leader, follower} = await pair()
    const [first, second] = await Promise.all([
      join({memberId: leader.memberId}),
      join({memberId: follower.memberId}),
    ])
    await sync(first)
    const beats = setInterval(() => [first, second].forEach(beat), 3000)
    await vi.advanceTimersByTimeAsync(REBALANCE_MS - 1)
    clearInterval(beats)
    await vi.advanceTimersByTimeAsync(1)
    expect(() => beat(second)).toThrow(refusal('UNKNOWN_MEMBER_ID'))
    expect(() => beat(first)).toThrow(refusal('REBALANCE_IN_PROGRESS'))
  })

  it('answers SyncGroup with REBALANCE_IN_PROGRESS when somebody joins meanwhile', async () => {
    const {leader, follower} = await pair()
    const [, second] = await Promise.all([
      join({memberId: leader.memberId}),
      join({memberId: follower.memberId}),
    ])
    const parked = sync(second)
    void join()
    expect(await parked).toMatchObject({error: KafkaError.REBALANCE_IN_PROGRESS})
    await expect(sync(second)).rejects.toEqual(refusal('REBALANCE_IN_PROGRESS'))
  })

  it('tells a follower that asks again where the group stands, and regroups when it wants something else', async () => {
    const {leader, follower} = await pair()
    expect(await join({memberId: follower.memberId})).toMatchObject({generation: 2, members: []})
    expect(state()).toBe('Stable')
    const changed = watch(join({memberId: follower.memberId, protocols: [protocol('p', 'other topics')]}))
    expect(state()).toBe('PreparingRebalance')
    const {members} = await join({memberId: leader.memberId})
    await vi.advanceTimersByTimeAsync(0)
    expect(members.map(({metadata}) => metadata.toString())).toEqual(['m', 'other topics'])
    expect(changed.value).toMatchObject({generation: 3})
  })

  it('answers a request that the same member has sent again on another connection', async () => {
    await stableGroup()
    const {memberId} = await join({isGivenIdFirst: true})
    const first = join({memberId})
    void join({memberId})
    expect(await first).toMatchObject({error: KafkaError.REBALANCE_IN_PROGRESS})
  })
})

describe('the protocol', () => {
  it('is the one that all have, and most like best', async () => {
    const all = ['a', 'b', 'c'].map((name) => protocol(name))
    const [a, b, c] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0]]
    const first = await stableGroup({protocols: [a, b, c]})
    const others = [join({protocols: [c, b]}), join({protocols: [c, a, b]})]
    const leader = await join({memberId: first.memberId, protocols: [a, b, c]})
    expect(leader.protocol).toBe('c')
    await Promise.all(others)
  })

  it('refuses members that share none, of another type, or that offer nothing', async () => {
    await expect(join({protocols: []})).rejects.toEqual(refusal('INCONSISTENT_GROUP_PROTOCOL'))
    await expect(join({protocolType: ''})).rejects.toEqual(refusal('INCONSISTENT_GROUP_PROTOCOL'))
    await stableGroup()
    await expect(join({protocols: [protocol('q')]})).rejects.toEqual(refusal('INCONSISTENT_GROUP_PROTOCOL'))
    await expect(join({protocolType: 'connect'})).rejects.toEqual(refusal('INCONSISTENT_GROUP_PROTOCOL'))
    expect(state()).toBe('Stable')
  })
})

describe('a session', () => {
  it('ends without heartbeats, and the others regroup', async () => {
    const {leader, follower} = await pair()
    await vi.advanceTimersByTimeAsync(SESSION_MS - 1)
    beat(follower)
    await vi.advanceTimersByTimeAsync(1)
    expect(() => beat(leader)).toThrow(refusal('UNKNOWN_MEMBER_ID'))
    expect(() => beat(follower)).toThrow(refusal('REBALANCE_IN_PROGRESS'))
    expect(await join({memberId: follower.memberId})).toMatchObject({
      generation: 3,
      leaderId: follower.memberId,
    })
  })

  it('is kept alive by commits, and does not run while a request of the member waits', async () => {
    const {leader, follower} = await pair()
    for (let seconds = 0; seconds < 30; seconds += 5) {
      group.checkCommit(identity(leader))
      group.checkCommit(identity(follower))
      await vi.advanceTimersByTimeAsync(5000)
    }
    const waiting = watch(join({memberId: follower.memberId, protocols: [protocol('p', 'new')]}))
    for (let seconds = 0; seconds < 25; seconds += 5) {
      expect(() => beat(leader)).toThrow(refusal('REBALANCE_IN_PROGRESS'))
      await vi.advanceTimersByTimeAsync(5000)
    }
    await join({memberId: leader.memberId})
    await vi.advanceTimersByTimeAsync(0)
    expect(waiting.value).toMatchObject({error: 0, generation: 3})
  })

  it('leaves an empty group behind, of the type that it had', async () => {
    await stableGroup()
    await vi.advanceTimersByTimeAsync(SESSION_MS)
    expect(group.describe()).toMatchObject({
      state: 'Empty',
      protocolType: 'consumer',
      protocol: '',
      members: [],
    })
    expect(group.isEmpty).toBe(true)
  })
})

describe('leaving', () => {
  it('regroups the others at once', async () => {
    const {leader, follower} = await pair()
    group.leave({memberId: leader.memberId, instanceId: null})
    expect(() => beat(follower)).toThrow(refusal('REBALANCE_IN_PROGRESS'))
    expect(await join({memberId: follower.memberId})).toMatchObject({leaderId: follower.memberId})
    expect(() => group.leave({memberId: leader.memberId, instanceId: null})).toThrow(
      refusal('UNKNOWN_MEMBER_ID'),
    )
  })

  it('does not keep a rebalance waiting, even of one that had only been given an id', async () => {
    const leader = await stableGroup()
    const announced = await join({isGivenIdFirst: true})
    const rejoined = watch(join({memberId: leader.memberId}))
    group.leave({memberId: announced.memberId, instanceId: null})
    await vi.advanceTimersByTimeAsync(0)
    expect(rejoined.value).toMatchObject({generation: 2})
  })
})

describe('a static member', () => {
  it('takes its place over after a restart: same generation, same assignment, and the old one is fenced', async () => {
    const old = await stableGroup({instanceId: 'i'})
    const successor = await join({instanceId: 'i'})
    expect(successor).toMatchObject({error: 0, generation: 1, leaderId: old.memberId, members: []})
    expect(successor.memberId).toMatch(/^i-/)
    expect(state()).toBe('Stable')
    expect(await assignmentOf(sync({...successor, instanceId: 'i'}))).toBe('all')

    const zombie = {...old, instanceId: 'i'}
    expect(() => beat(zombie)).toThrow(refusal('FENCED_INSTANCE_ID'))
    expect(() => group.checkCommit(identity(zombie))).toThrow(refusal('FENCED_INSTANCE_ID'))
    expect(() => group.checkCommit(identity(old))).toThrow(refusal('UNKNOWN_MEMBER_ID'))
    await expect(join({instanceId: 'i', memberId: old.memberId})).rejects.toEqual(
      refusal('FENCED_INSTANCE_ID'),
    )
    expect(() => group.leave({memberId: old.memberId, instanceId: 'i'})).toThrow(
      refusal('FENCED_INSTANCE_ID'),
    )
  })

  it('leads the next generation when its predecessor led', async () => {
    await stableGroup({instanceId: 'i'})
    const successor = await join({instanceId: 'i'})
    const joining = join()
    expect(await join({instanceId: 'i', memberId: successor.memberId})).toMatchObject({
      leaderId: successor.memberId,
    })
    await joining
  })

  it('regroups the group when its successor wants another protocol', async () => {
    const both = [protocol('p'), protocol('q')]
    await stableGroup({instanceId: 'i', protocols: both})
    const successor = await join({instanceId: 'i', protocols: [...both].reverse()})
    expect(successor).toMatchObject({generation: 2, protocol: 'q', leaderId: successor.memberId})
  })

  it('fences the request in which its predecessor waits', async () => {
    const leader = await stableGroup()
    const old = join({instanceId: 'i'})
    const successor = join({instanceId: 'i'})
    expect(await old).toMatchObject({error: KafkaError.FENCED_INSTANCE_ID})
    await join({memberId: leader.memberId})
    expect(await successor).toMatchObject({error: 0, generation: 2})
  })

  it('keeps its place in a rebalance that it misses, until its session ends', async () => {
    const {memberId} = await stableGroup({instanceId: 'i', rebalanceTimeoutMs: 4000})
    const joining = watch(join({rebalanceTimeoutMs: 4000}))
    await vi.advanceTimersByTimeAsync(4000)
    expect(joining.value).toMatchObject({generation: 2, leaderId: joining.value!.memberId})
    expect(joining.value!.members.map((each) => each.instanceId)).toEqual(['i', null])
    const other = joining.value!
    await sync(other)
    beat(other)
    await vi.advanceTimersByTimeAsync(SESSION_MS - 4000)
    expect(() => beat({memberId, generation: 2, instanceId: 'i'})).toThrow(refusal('UNKNOWN_MEMBER_ID'))
  })

  it('can be removed by its instance id', async () => {
    await stableGroup({instanceId: 'i'})
    expect(() => group.leave({memberId: '', instanceId: 'other'})).toThrow(refusal('UNKNOWN_MEMBER_ID'))
    group.leave({memberId: '', instanceId: 'i'})
    expect(state()).toBe('Empty')
  })
})

describe('a commit', () => {
  it('is for members of this generation', async () => {
    const member = await stableGroup()
    group.checkCommit(identity(member))
    const check = (changed: Partial<Membership>) => () => group.checkCommit(identity({...member, ...changed}))
    expect(check({generation: 0})).toThrow(refusal('ILLEGAL_GENERATION'))
    expect(check({generation: 2})).toThrow(refusal('ILLEGAL_GENERATION'))
    expect(check({memberId: 'stranger'})).toThrow(refusal('UNKNOWN_MEMBER_ID'))
    expect(check({memberId: '', generation: -1})).toThrow(refusal('UNKNOWN_MEMBER_ID'))
    expect(check({instanceId: 'i'})).toThrow(refusal('UNKNOWN_MEMBER_ID'))
  })

  it('is taken while a rebalance waits for joins, and not between that and the assignment', async () => {
    const member = await stableGroup()
    void join()
    group.checkCommit(identity(member))
    const rejoined = await join({memberId: member.memberId})
    expect(() => group.checkCommit(identity(rejoined))).toThrow(refusal('REBALANCE_IN_PROGRESS'))
  })

  it('is anybody’s in a group without members', async () => {
    group.checkCommit({groupId: 'g', generation: -1, memberId: '', instanceId: null})
    const member = await stableGroup()
    group.leave({memberId: member.memberId, instanceId: null})
    group.checkCommit({groupId: 'g', generation: -1, memberId: '', instanceId: null})
    expect(() => group.checkCommit(identity(member))).toThrow(refusal('UNKNOWN_MEMBER_ID'))
  })
})
