import {StreamtoolError} from '../../../core/errors.js'
import type {AssignmentMode, CommittedOffset, GroupMember, TopicPartition} from '../../../core/ports/index.js'
import type {Cluster} from './cluster.js'

const MAX_METADATA_BYTES = 4096

/** `rebalance`: rejoin, commits are still taken. `lost`: it went on without this member. `fenced`: replaced. */
export type EpochEnd = 'rebalance' | 'lost' | 'fenced'

export interface Joined {
  readonly generation: number
  readonly partitions: readonly TopicPartition[]
}

/** One process's place in the group, kept over rebalances. */
export interface Membership {
  /**
   * Resolves when all members have (re)joined; null when the member left meanwhile.
   * @param ended hears that the epoch ends, first perhaps by `rebalance` and then by something worse
   * @throws GROUP_FENCED
   */
  join(ended: (reason: EpochEnd) => void): Promise<Joined | null>
  /** @throws GROUP_STALE, GROUP_FENCED, BROKER_REFUSED */
  commit(generation: number, offsets: readonly CommittedOffset[]): void
  leave(): void
  /** The instance id, else the member id. */
  name(): string
}

interface Member {
  readonly id: string
  readonly instanceId: string | null
  readonly topics: readonly string[]
  readonly assignment: AssignmentMode
  ended: (reason: EpochEnd) => void
  /** Set from joining until all the others have joined too. */
  admit: ((joined: Joined | null) => void) | null
  /** Until it has joined again: what it held before. */
  partitions: TopicPartition[]
}

/** A consumer group's coordinator: eager rebalances, static members, generations, committed offsets. */
export class Group {
  readonly groupId: string
  readonly #cluster: Cluster
  /** By instance id, else by member id: a static member's successor takes its place in the order too. */
  readonly #members = new Map<string, Member>()
  readonly #committed = new Map<string, CommittedOffset>()
  #generation = 0
  #memberCount = 0

  constructor(groupId: string, cluster: Cluster) {
    this.groupId = groupId
    this.#cluster = cluster
  }

  membership(
    topics: readonly string[],
    instanceId: string | null,
    assignment: AssignmentMode = 'spread',
  ): Membership {
    let id = ''
    return {
      name: () => instanceId ?? id,
      join: (ended) => {
        const holder = instanceId === null ? undefined : this.#members.get(instanceId)
        if (holder && id !== '' && holder.id !== id) return Promise.reject(this.#fenced(holder.instanceId))
        if (!this.#byId(id)) id = `${instanceId ?? 'member'}-${++this.#memberCount}`
        return new Promise((admit) =>
          this.#admit({
            id,
            instanceId,
            topics,
            assignment,
            ended,
            admit,
            partitions: this.#byId(id)?.partitions ?? [],
          }),
        )
      },
      commit: (generation, offsets) => this.#commit(id, instanceId, generation, offsets),
      leave: () => {
        const member = this.#byId(id)
        if (!member) return
        this.#remove(member)
        member.admit?.(null)
      },
    }
  }

  members(): readonly GroupMember[] {
    return [...this.#members.values()].map(({id, instanceId}) => ({
      memberId: id,
      instanceId,
      clientId: 'memory',
      host: 'localhost',
    }))
  }

  /** Ends the session of a member as a missed heartbeat does; it may hear of that later, or never. */
  expire(memberId: string, noticedAfter: Promise<unknown> | undefined): void {
    const member = this.#byId(memberId)
    if (!member) throw new Error(`group ${this.groupId} has no member ${memberId}`)
    this.#remove(member)
    if (noticedAfter) void noticedAfter.then(() => member.ended('lost'))
    else member.ended('lost')
  }

  /** Makes all members rejoin. */
  rebalance(): void {
    for (const member of this.#members.values()) if (!member.admit) member.ended('rebalance')
    this.#admitWhenComplete()
  }

  subscribesTo(topic: string): boolean {
    return [...this.#members.values()].some(({topics}) => topics.includes(topic))
  }

  committed(topic: string): CommittedOffset[] {
    return [...this.#committed.values()]
      .filter((offset) => offset.topic === topic)
      .sort((a, b) => a.partition - b.partition)
  }

  committedOf({topic, partition}: TopicPartition): CommittedOffset | null {
    return this.#committed.get(`${topic}/${partition}`) ?? null
  }

  reset(offsets: readonly CommittedOffset[]): void {
    if (this.#members.size > 0)
      throw new StreamtoolError('GROUP_BUSY', `Group ${this.groupId} has ${this.#members.size} members`, {
        facts: {group: this.groupId},
      })
    this.#store(offsets)
  }

  #admit(newcomer: Member): void {
    const place = newcomer.instanceId ?? newcomer.id
    const predecessor = this.#members.get(place)
    const stable = [...this.#members.values()].every(({admit}) => !admit)
    this.#members.set(place, newcomer)
    if (predecessor && predecessor.id !== newcomer.id) {
      predecessor.admit?.(null)
      predecessor.ended('fenced')
      newcomer.partitions = predecessor.partitions
      const isAlike =
        String(predecessor.topics) === String(newcomer.topics) &&
        predecessor.assignment === newcomer.assignment
      if (stable && isAlike) {
        this.#begin(newcomer)
        return
      }
    }
    this.rebalance()
  }

  #remove(member: Member): void {
    this.#members.delete(member.instanceId ?? member.id)
    this.rebalance()
  }

  #admitWhenComplete(): void {
    const members = [...this.#members.values()]
    if (!members.every(({admit}) => admit)) return
    this.#generation++
    assign(members, this.#cluster)
    for (const member of members) this.#begin(member)
  }

  #begin(member: Member): void {
    const {admit, partitions} = member
    member.admit = null
    admit?.({generation: this.#generation, partitions})
  }

  #commit(
    id: string,
    instanceId: string | null,
    generation: number,
    offsets: readonly CommittedOffset[],
  ): void {
    const facts = {group: this.groupId, generation}
    if (!this.#byId(id)) {
      if (instanceId !== null && this.#members.has(instanceId)) throw this.#fenced(instanceId)
      throw new StreamtoolError('GROUP_STALE', `Group ${this.groupId} no longer knows this member`, {facts})
    }
    if (generation !== this.#generation)
      throw new StreamtoolError('GROUP_STALE', `Group ${this.groupId} is past generation ${generation}`, {
        facts,
      })
    this.#store(offsets)
  }

  /** As a broker does: the other partitions of a commit are stored although one is refused. */
  #store(offsets: readonly CommittedOffset[]): void {
    let refused: CommittedOffset | undefined
    for (const offset of offsets) {
      this.#cluster.log(offset)
      if (Buffer.byteLength(offset.metadata) > MAX_METADATA_BYTES) refused = offset
      else this.#committed.set(`${offset.topic}/${offset.partition}`, {...offset})
    }
    if (!refused) return
    const {topic, partition} = refused
    throw new StreamtoolError(
      'BROKER_REFUSED',
      `The metadata committed for ${topic}/${partition} is larger than ${MAX_METADATA_BYTES} bytes`,
      {facts: {topic, partition}},
    )
  }

  #byId(id: string): Member | undefined {
    return [...this.#members.values()].find((member) => member.id === id)
  }

  #fenced(instanceId: string | null): StreamtoolError {
    return new StreamtoolError(
      'GROUP_FENCED',
      `Another member of group ${this.groupId} took over as ${instanceId ?? ''}`,
      {facts: {group: this.groupId, instanceId}},
    )
  }
}

/** As the real assignor: all together when one member asks for it. */
function assign(members: readonly Member[], cluster: Cluster): void {
  if (members.some(({assignment}) => assignment === 'together')) assignTogether(members, cluster)
  else assignInTurn(members, cluster)
}

/** Round robin over the members that subscribe to each topic, in the order in which they came. */
function assignInTurn(members: readonly Member[], cluster: Cluster): void {
  for (const member of members) member.partitions = []
  let turn = 0
  for (const topic of topicsOf(members)) {
    const subscribers = members.filter(({topics}) => topics.includes(topic))
    for (const {partition} of cluster.topic(topic).logs)
      subscribers[turn++ % subscribers.length]?.partitions.push({topic, partition})
  }
}

/** Each topic for the subscriber that holds most so far, else for the one that came first. */
function assignTogether(members: readonly Member[], cluster: Cluster): void {
  const byHeld = [...members].sort((a, b) => b.partitions.length - a.partitions.length)
  for (const member of members) member.partitions = []
  for (const topic of topicsOf(members)) {
    const owner = byHeld.find(({topics}) => topics.includes(topic))
    for (const {partition} of cluster.topic(topic).logs) owner?.partitions.push({topic, partition})
  }
}

function topicsOf(members: readonly Member[]): Set<string> {
  return new Set(members.flatMap(({topics}) => topics))
}
