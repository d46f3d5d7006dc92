import {randomUUID} from 'node:crypto'
import {KafkaError, Refusal} from '../protocol/errors.js'
import type {GroupDescription} from '../protocol/administration.js'
import {
  refusedJoin,
  refusedSync,
  type GenerationRequest,
  type JoinRequest,
  type JoinResult,
  type MemberIdentity,
  type SyncRequest,
  type SyncResult,
} from '../protocol/group-membership.js'
import {AnnouncedMembers} from './announced-members.js'
import {Member, type ClientInfo} from './member.js'
import {Members} from './members.js'

/** How long a new member may wait in its first JoinGroup, where it cannot send heartbeats. */
const NEW_MEMBER_JOIN_MS = 300_000

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

/**
 * One consumer group, as the classic protocol has it:
 * ```
 *            a member joins, leaves,                 all have joined,                    the leader has sent
 *            or is silent too long                   or the time is up                   the assignments
 *   any state ───────────> PreparingRebalance ───────────> CompletingRebalance ───────────> Stable
 *                                          └─ nobody left ─> Empty
 * ```
 * JoinGroup is parked in the second state, SyncGroup in the third. Each passage to the third is a new generation.
 * Groups live in memory: after a restart of the broker its members are unknown and join anew.
 */
export class Group {
  readonly groupId: string
  readonly #members = new Members()
  readonly #announced = new AnnouncedMembers()
  #state: GroupState = 'Empty'
  #generation = 0
  #protocol = ''
  /** Ends the state of the moment: waiting for joins, or for the sync of everybody. */
  #deadline: NodeJS.Timeout | undefined

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get isEmpty(): boolean {
    return this.#state === 'Empty'
  }

  get protocolType(): string {
    return this.#members.protocolType
  }

  /** @throws Refusal UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, INCONSISTENT_GROUP_PROTOCOL */
  async join(request: JoinRequest, client: ClientInfo): Promise<JoinResult> {
    if (!this.#members.accepts(request.protocolType, request.protocols)) {
      throw new Refusal('INCONSISTENT_GROUP_PROTOCOL')
    }
    const {memberId, instanceId} = request
    if (memberId !== '') {
      if (this.#announced.has(memberId)) return this.#admit(new Member(memberId, request, client))
      return this.#rejoin(this.#members.identify(request), request)
    }
    const newId = `${instanceId ?? client.clientId}-${randomUUID()}`
    const predecessor = instanceId === null ? undefined : this.#members.ofInstance(instanceId)
    if (predecessor) return this.#takeOver(predecessor, new Member(newId, request, client))
    if (instanceId === null && request.isGivenIdFirst) return this.#announce(newId, request)
    return this.#admit(new Member(newId, request, client))
  }

  /** @throws Refusal UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS */
  async sync(request: SyncRequest): Promise<SyncResult> {
    const member = this.#identifyInGeneration(request)
    if (this.#state === 'PreparingRebalance') throw new Refusal('REBALANCE_IN_PROGRESS')
    member.hasSynced = true
    this.#keepAlive(member)
    if (this.#state === 'Stable') return {error: KafkaError.NONE, assignment: member.assignment}
    const parked = member.parkSync()
    if (member.memberId === this.#members.leaderId) this.#distribute(request.assignments)
    return parked
  }

  /** @throws Refusal UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS */
  heartbeat(request: GenerationRequest): void {
    this.#keepAlive(this.#identifyInGeneration(request))
    if (this.#state === 'PreparingRebalance') throw new Refusal('REBALANCE_IN_PROGRESS')
  }

  /** @throws Refusal UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID */
  leave(who: MemberIdentity): void {
    if (who.instanceId === null && this.#announced.has(who.memberId)) {
      this.#announced.delete(who.memberId)
      this.#completeJoinWhenAllAreHere()
      return
    }
    const isNamedByInstance = who.memberId === '' && who.instanceId !== null
    const member = isNamedByInstance ? this.#members.ofInstance(who.instanceId) : this.#members.identify(who)
    if (member === undefined) throw new Refusal('UNKNOWN_MEMBER_ID')
    this.#remove(member)
  }

  /**
   * Commits are for members of this generation; anybody may commit to a group without members, if it names none.
   *
   * @throws Refusal UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS
   */
  checkCommit(request: GenerationRequest): void {
    if (this.isEmpty && request.generation < 0) return
    this.#keepAlive(this.#identifyInGeneration(request))
    if (this.#state === 'CompletingRebalance') throw new Refusal('REBALANCE_IN_PROGRESS')
  }

  describe(): GroupDescription {
    const {groupId, protocolType} = this
    const isStable = this.#state === 'Stable'
    const protocol = isStable ? this.#protocol : ''
    const members = this.#members.all().map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      ...member.client,
      metadata: member.metadataFor(protocol),
      assignment: isStable ? member.assignment : Buffer.alloc(0),
    }))
    return {error: KafkaError.NONE, groupId, state: this.#state, protocolType, protocol, members}
  }

  /** Ends all timers; parked requests stay unanswered. */
  close(): void {
    clearTimeout(this.#deadline)
    this.#announced.close()
    for (const member of this.#members.all()) member.endSession()
  }

  #announce(memberId: string, {sessionTimeoutMs}: JoinRequest): JoinResult {
    this.#announced.add(memberId, sessionTimeoutMs, () => this.#completeJoinWhenAllAreHere())
    return {...refusedJoin(KafkaError.MEMBER_ID_REQUIRED), memberId}
  }

  #admit(member: Member): Promise<JoinResult> {
    this.#announced.delete(member.memberId)
    this.#members.add(member)
    const parked = member.parkJoin()
    this.#keepAlive(member, NEW_MEMBER_JOIN_MS)
    this.#rebalance()
    return parked
  }

  /** A member whose wishes have not changed is told where the group stands; the leader's rejoin is a wish. */
  #rejoin(member: Member, request: JoinRequest): Promise<JoinResult> {
    const isLeader = member.memberId === this.#members.leaderId
    const isSettled = this.#state === 'CompletingRebalance' || (this.#state === 'Stable' && !isLeader)
    if (isSettled && member.offersTheSame(request.protocols)) {
      this.#keepAlive(member)
      return Promise.resolve(this.#currentGeneration(member))
    }
    member.update(request)
    const parked = member.parkJoin()
    this.#rebalance()
    return parked
  }

  /**
   * The process behind a static member was restarted. A stable group stays as it is; whoever still speaks under
   * the old member id is fenced. The successor of a leader is not told that it leads: it would assign anew.
   */
  #takeOver(old: Member, successor: Member): Promise<JoinResult> {
    const leaderId = this.#members.leaderId
    this.#members.replace(old, successor)
    old.dismiss(KafkaError.FENCED_INSTANCE_ID)
    this.#keepAlive(successor)
    if (this.#state === 'Stable' && this.#members.selectProtocol() === this.#protocol) {
      return Promise.resolve({...this.#currentGeneration(successor), leaderId, members: []})
    }
    const parked = successor.parkJoin()
    this.#rebalance()
    return parked
  }

  #remove(member: Member): void {
    this.#members.delete(member)
    member.dismiss(KafkaError.UNKNOWN_MEMBER_ID)
    this.#rebalance()
  }

  #rebalance(): void {
    if (this.#state !== 'PreparingRebalance') {
      this.#state = 'PreparingRebalance'
      for (const member of this.#members.all()) {
        member.answerSync(refusedSync(KafkaError.REBALANCE_IN_PROGRESS))
      }
      this.#setDeadline(() => this.#completeJoin())
    }
    this.#completeJoinWhenAllAreHere()
  }

  #completeJoinWhenAllAreHere(): void {
    const allAreHere = this.#members.all().every(({isWaitingInJoin}) => isWaitingInJoin)
    if (this.#state === 'PreparingRebalance' && allAreHere && this.#announced.size === 0) this.#completeJoin()
  }

  /** Static members keep their place without joining, until their session ends. */
  #completeJoin(): void {
    for (const member of this.#members.all()) {
      if (member.isWaitingInJoin || member.instanceId !== null) continue
      this.#members.delete(member)
      member.dismiss(KafkaError.UNKNOWN_MEMBER_ID)
    }
    if (this.#members.size > 0 && !this.#members.electJoinedLeader()) {
      this.#setDeadline(() => this.#completeJoin())
      return
    }
    this.#generation++
    this.#protocol = this.#members.selectProtocol()
    this.#state = this.#members.size === 0 ? 'Empty' : 'CompletingRebalance'
    clearTimeout(this.#deadline)
    if (this.#state === 'Empty') return
    this.#setDeadline(() => this.#dropWhoHasNotSynced())
    for (const member of this.#members.all()) {
      member.hasSynced = false
      member.isNew = false
      member.assignment = Buffer.alloc(0)
      member.answerJoin(this.#currentGeneration(member))
      this.#keepAlive(member)
    }
  }

  #distribute(given: SyncRequest['assignments']): void {
    const assignments = new Map(given.map(({memberId, assignment}) => [memberId, assignment]))
    this.#state = 'Stable'
    for (const member of this.#members.all()) {
      member.assignment = Buffer.from(assignments.get(member.memberId) ?? [])
      member.answerSync({error: KafkaError.NONE, assignment: member.assignment})
      this.#keepAlive(member)
    }
  }

  #dropWhoHasNotSynced(): void {
    for (const member of this.#members.all()) if (!member.hasSynced) this.#remove(member)
  }

  #currentGeneration(member: Member): JoinResult {
    const {leaderId} = this.#members
    const members = this.#members.all().map((each) => ({
      memberId: each.memberId,
      instanceId: each.instanceId,
      metadata: each.metadataFor(this.#protocol),
    }))
    return {
      error: KafkaError.NONE,
      generation: this.#generation,
      protocol: this.#protocol,
      leaderId,
      memberId: member.memberId,
      members: member.memberId === leaderId ? members : [],
    }
  }

  #identifyInGeneration(request: GenerationRequest): Member {
    const member = this.#members.identify(request)
    if (request.generation !== this.#generation) throw new Refusal('ILLEGAL_GENERATION')
    return member
  }

  #setDeadline(passed: () => void): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(passed, this.#members.maxRebalanceTimeoutMs)
  }

  #keepAlive(member: Member, timeoutMs?: number): void {
    member.keepAlive(() => this.#remove(member), timeoutMs)
  }
}
