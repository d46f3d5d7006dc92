/**
 * From knocking to knowing the assignment: JoinGroup, answered when the whole group has come, then SyncGroup,
 * answered when its leader has said who gets what. Whoever turns out to be the leader works that out in between.
 */
import {StreamtoolError} from '../../../core/errors.js'
import type {Clock, GroupOptions, Logger} from '../../../core/ports/index.js'
import type {TopicPartition} from '../../../core/record.js'
import {MalformedBytes} from '../bytes.js'
import {isProtocolFailure, isRetriable} from '../transport/failures.js'
import type {ProtocolFailure} from '../transport/failures.js'
import type {ApiAnswer} from '../transport/protocol.js'
import {ASSIGNOR_NAME, assignPartitions, modeInForce} from './assignor.js'
import type {AssignableMember, PartitionCounts} from './assignor.js'
import {isCoordinatorAway} from './coordinator.js'
import type {Coordinator} from './coordinator.js'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './member-protocol.js'
import type {Assignment, Subscription} from './member-protocol.js'

export interface JoinedGeneration {
  readonly generation: number
  readonly memberId: string
  readonly partitions: readonly TopicPartition[]
  /** What the leader reckoned with. */
  readonly counts: PartitionCounts
}

/** With what the leader said of this member's wish. */
type JoinedAs = JoinedGeneration & Assignment

export type JoinOptions = Required<
  Pick<
    GroupOptions,
    'topics' | 'groupId' | 'instanceId' | 'assignment' | 'sessionTimeoutMs' | 'rebalanceTimeoutMs'
  >
>

type JoinedMember = ApiAnswer<'JoinGroup'>['members'][number]

/** The broker itself waits for the whole rebalance timeout. */
const ANSWER_MARGIN_MS = 5_000
const REJOIN_PAUSE_MS = 100

export class Joining {
  /** Given by the broker; empty before the first join, and again after the broker has forgotten it. */
  memberId = ''
  /** Then the broker answers nothing on that connection before the whole group has come. */
  wasStoppedWhileJoining = false
  #held: Pick<Subscription, 'owned' | 'generation'> = {owned: [], generation: -1}
  #togetherTold = false
  /** Since it has joined once, the broker has written its member id down. */
  #isKnown = false
  #wasForgotten = false

  constructor(
    private readonly coordinator: Coordinator,
    private readonly options: JoinOptions,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * What this member gives up and would like to keep. A follower whose claim is not the one that it joined with
   * makes the group regroup when it joins again; one that lost touch and comes back unchanged does not.
   */
  claim(joined: JoinedGeneration): void {
    this.#held = {owned: joined.partitions, generation: joined.generation}
  }

  /**
   * Patient through outages, and through rebalances however many follow each other.
   * @throws GROUP_INCOMPATIBLE, ProtocolFailure, TransportFailure, or the signal's reason
   */
  async join(signal: AbortSignal): Promise<JoinedGeneration> {
    const joined = await this.#joinOnce(signal)
    const {assignment} = this.options
    if (joined.asked === null || joined.asked === assignment) return this.#told(joined)
    // The assignment is the predecessor's, of whom the group does not know yet that its successor wants another.
    this.claim(joined)
    return this.#told(await this.#joinOnce(signal))
  }

  async #joinOnce(signal: AbortSignal): Promise<JoinedAs> {
    for (;;) {
      try {
        const attempt = () => this.#joinAndSync(signal)
        return await this.coordinator.cluster.patiently(attempt, {signal, retriable: isOutage})
      } catch (error) {
        this.wasStoppedWhileJoining = signal.aborted
        if (this.#isForgottenNewcomer(error)) {
          this.#wasForgotten = true
          this.memberId = ''
        } else if (!mayJoinAgain(error)) throw error
        if (isProtocolFailure(error, 'UNKNOWN_MEMBER_ID')) this.memberId = ''
        this.logger.debug('joining the group again', {reason: error.type})
        await this.clock.sleep(REJOIN_PAUSE_MS, signal)
      }
    }
  }

  /**
   * A coordinator that dies, or moves, before the group is complete has not written down which member id it gave to
   * whom: it takes a newcomer with an instance id for somebody who was replaced by its own predecessor. It may come
   * anew, once: if there really is another process of this id, one of the two is fenced then.
   */
  #isForgottenNewcomer(error: unknown): error is ProtocolFailure {
    const isFenced = isProtocolFailure(error, 'FENCED_INSTANCE_ID')
    return isFenced && !this.#isKnown && !this.#wasForgotten && this.memberId !== ''
  }

  #told(joined: JoinedAs): JoinedGeneration {
    const {groupId, assignment} = this.options
    if (joined.inForce === 'together' && assignment !== 'together' && !this.#togetherTold) {
      this.#togetherTold = true
      this.logger.warn(
        `Group ${groupId} keeps all partitions together, since another member asks for it; this one asks for spread.`,
        {groupId},
      )
    }
    return joined
  }

  async #joinAndSync(signal: AbortSignal): Promise<JoinedAs> {
    const {groupId, instanceId} = this.options
    const joined = await this.#joinGroup(signal)
    const {memberId, generationId} = joined
    const isLeader = joined.leaderId === memberId
    const groupAssignment = isLeader ? await this.#shareOut(joined.members, signal) : []
    const {memberAssignment} = await this.coordinator.ask(
      'SyncGroup',
      {groupId, generationId, memberId, groupInstanceId: instanceId, groupAssignment},
      signal,
      {timeoutMs: this.options.rebalanceTimeoutMs + ANSWER_MARGIN_MS},
    )
    this.#isKnown = true
    return {generation: generationId, memberId, ...this.#readAssignment(memberAssignment)}
  }

  async #joinGroup(signal: AbortSignal): Promise<ApiAnswer<'JoinGroup'>> {
    const {groupId, instanceId, topics, assignment, sessionTimeoutMs, rebalanceTimeoutMs} = this.options
    const metadata = encodeSubscription({topics, assignment, ...this.#held})
    try {
      const joined = await this.coordinator.ask(
        'JoinGroup',
        {
          groupId,
          sessionTimeout: sessionTimeoutMs,
          rebalanceTimeout: rebalanceTimeoutMs,
          memberId: this.memberId,
          groupInstanceId: instanceId,
          protocolType: 'consumer',
          groupProtocols: [{name: ASSIGNOR_NAME, metadata}],
        },
        signal,
        {timeoutMs: rebalanceTimeoutMs + ANSWER_MARGIN_MS},
      )
      this.memberId = joined.memberId
      return joined
    } catch (error) {
      // The broker wants to know that somebody is there to take the id it gives.
      if (!isProtocolFailure(error, 'MEMBER_ID_REQUIRED') || error.memberId === null) throw error
      this.memberId = error.memberId
      return this.#joinGroup(signal)
    }
  }

  /** As the leader. Topics that cannot be seen from here get nothing. */
  async #shareOut(
    members: readonly JoinedMember[],
    signal: AbortSignal,
  ): Promise<{memberId: string; memberAssignment: Buffer}[]> {
    const assignable = members.map((member) => this.#readMember(member))
    const topics = [...new Set(assignable.flatMap((member) => member.topics))]
    const {cluster} = this.coordinator
    await cluster.refreshMetadata(topics, signal)
    const counts = new Map<string, number>()
    for (const topic of topics) {
      const count = cluster.partitionCount(topic)
      if (count !== null) counts.set(topic, count)
    }
    const assigned = assignPartitions(assignable, counts)
    const inForce = modeInForce(assignable)
    return assignable.map(({memberId, assignment: asked}) => {
      const partitions = assigned.get(memberId) ?? []
      return {memberId, memberAssignment: encodeAssignment({partitions, counts, asked, inForce})}
    })
  }

  #readMember(member: JoinedMember): AssignableMember {
    const identity = {memberId: member.memberId, instanceId: member.groupInstanceId ?? null}
    try {
      const subscription = decodeSubscription(member.memberMetadata ?? Buffer.alloc(0))
      const {topics, owned, assignment} = subscription
      return {...identity, topics, owned, ownedGeneration: subscription.generation, assignment}
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error
      this.logger.warn('a member of the group does not say what it wants, and gets nothing', identity)
      return {...identity, topics: [], owned: [], ownedGeneration: -1, assignment: null}
    }
  }

  #readAssignment(bytes: Buffer | null): Assignment {
    try {
      return decodeAssignment(bytes ?? Buffer.alloc(0))
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error
      throw new StreamtoolError(
        'GROUP_INCOMPATIBLE',
        `the leader of group ${this.options.groupId} sent an assignment that cannot be read`,
        {facts: {group: this.options.groupId}, cause: error},
      )
    }
  }
}

/** The group went on while this member was on its way: knock again. */
const REGROUPED = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS'] as const

const mayJoinAgain = (error: unknown) => isProtocolFailure(error, ...REGROUPED)
const isOutage = (error: unknown) => !mayJoinAgain(error) && (isCoordinatorAway(error) || isRetriable(error))
