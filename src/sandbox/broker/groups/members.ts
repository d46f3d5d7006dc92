import {Refusal} from '../protocol/errors.js'
import type {GroupProtocol, MemberIdentity} from '../protocol/group-membership.js'
import type {Member} from './member.js'

/** The members of a group, their leader, and what protocol they can agree on. */
export class Members {
  readonly #members = new Map<string, Member>()
  #leader: Member | null = null
  #protocolType = ''

  get leaderId(): string {
    return this.#leader?.memberId ?? ''
  }

  get size(): number {
    return this.#members.size
  }

  /** Of the members; of the last ones when there are none any more. */
  get protocolType(): string {
    return this.#protocolType
  }

  get maxRebalanceTimeoutMs(): number {
    return Math.max(0, ...this.all().map(({rebalanceTimeoutMs}) => rebalanceTimeoutMs))
  }

  all(): Member[] {
    return [...this.#members.values()]
  }

  /** @throws Refusal UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID */
  identify({memberId, instanceId}: MemberIdentity): Member {
    const member = instanceId === null ? this.#members.get(memberId) : this.ofInstance(instanceId)
    if (member === undefined) throw new Refusal('UNKNOWN_MEMBER_ID')
    if (member.memberId !== memberId) throw new Refusal('FENCED_INSTANCE_ID')
    return member
  }

  ofInstance(instanceId: string): Member | undefined {
    return this.all().find((member) => member.instanceId === instanceId)
  }

  add(member: Member): void {
    if (this.size === 0) this.#protocolType = member.protocolType
    this.#members.set(member.memberId, member)
    this.#leader ??= member
  }

  delete(member: Member): void {
    this.#members.delete(member.memberId)
    if (this.#leader === member) this.#leader = this.all()[0] ?? null
  }

  /** A static member comes back under a new member id and takes over all that the old one had. */
  replace(old: Member, successor: Member): void {
    successor.assignment = old.assignment
    successor.isNew = false
    successor.hasSynced = old.hasSynced
    this.#members.delete(old.memberId)
    this.#members.set(successor.memberId, successor)
    if (this.#leader === old) this.#leader = successor
  }

  /** The leader has to be one that has joined again. False when nobody has. */
  electJoinedLeader(): boolean {
    if (this.#leader?.isWaitingInJoin) return true
    const joined = this.all().find(({isWaitingInJoin}) => isWaitingInJoin)
    if (joined !== undefined) this.#leader = joined
    return joined !== undefined
  }

  /** Whether one that offers this would share a protocol with everybody. */
  accepts(protocolType: string, protocols: readonly GroupProtocol[]): boolean {
    if (this.size === 0) return protocolType !== '' && protocols.length > 0
    const common = this.#commonProtocols()
    return protocolType === this.protocolType && protocols.some(({name}) => common.includes(name))
  }

  /** Each member votes for the first of its protocols that all have; most votes win. */
  selectProtocol(): string {
    const common = this.#commonProtocols()
    const votes = new Map(common.map((name) => [name, 0]))
    for (const {protocols} of this.all()) {
      const choice = protocols.find(({name}) => votes.has(name))?.name
      if (choice !== undefined) votes.set(choice, (votes.get(choice) ?? 0) + 1)
    }
    const [winner] = [...votes].sort(([, a], [, b]) => b - a)
    return winner?.[0] ?? ''
  }

  #commonProtocols(): string[] {
    const [first, ...others] = this.all()
    const names = first?.protocols.map(({name}) => name) ?? []
    return names.filter((name) => others.every(({protocols}) => protocols.some((each) => each.name === name)))
  }
}
