import {StreamtoolError} from '../../../core/errors.js'
import type {
  AssignedPartition,
  Epoch,
  GroupHandler,
  RevokeReason,
  StartPosition,
  TopicPartition,
} from '../../../core/ports/index.js'
import type {Cluster} from './cluster.js'
import {FetchLoop} from './fetch-loop.js'
import type {EpochEnd, Group, Joined, Membership} from './group.js'

/** One round of joining, reading and giving the partitions up. */
export class EpochRun {
  /** Settles when the last batch is through, which may be after `run`; rejects with what the handler threw. */
  handled: Promise<void> = Promise.resolve()
  readonly #cluster: Cluster
  readonly #group: Group
  readonly #membership: Membership
  readonly #handler: GroupHandler
  readonly #over = new AbortController()
  #end: RevokeReason | null = null
  #fenced = false
  #failed = false
  #tellEnd!: () => void
  readonly #ending = new Promise<void>((resolve) => (this.#tellEnd = resolve))

  constructor(cluster: Cluster, group: Group, membership: Membership, handler: GroupHandler) {
    this.#cluster = cluster
    this.#group = group
    this.#membership = membership
    this.#handler = handler
  }

  /** @param previous what the handler still does for the epoch before; the two never overlap */
  async run(previous: Promise<unknown>, signal: AbortSignal): Promise<void> {
    const stop = () => this.#endFor('stopping')
    signal.addEventListener('abort', stop)
    try {
      const joined = await this.#join(signal)
      if (joined) {
        await previous
        // An epoch that was over before it began is none of the handler's business.
        if (this.#end === null) await this.#serve(joined)
      }
      this.#throwIfFenced()
    } finally {
      signal.removeEventListener('abort', stop)
      this.#endSignal()
    }
  }

  async #join(signal: AbortSignal): Promise<Joined | null> {
    await this.#arrival('join')
    if (signal.aborted) return null
    const giveUp = () => this.#membership.leave()
    signal.addEventListener('abort', giveUp)
    try {
      return await this.#membership.join((reason) => this.#hearEnd(reason))
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  async #serve({generation, partitions}: Joined): Promise<void> {
    const loop = new FetchLoop(this.#cluster, () => this.#arrival('fetch'))
    const epoch = this.#epoch(generation, loop)
    const starts = await this.#assign(epoch, partitions)
    this.handled = loop.run(starts, this.#handler, epoch).catch((error: unknown) => {
      if (this.#isJustTheEnd(error)) return
      this.#failed = true
      this.#endFor('stopping')
      throw error
    })
    this.handled.catch(() => undefined)
    await this.#ending
    loop.stop()
    await this.#handler.revoked(epoch, partitions, this.#end ?? 'stopping')
    if (this.#failed) await this.handled
  }

  #epoch(generation: number, loop: FetchLoop): Epoch {
    const {signal} = this.#over
    return {
      generation,
      signal,
      commit: async (offsets) => {
        signal.throwIfAborted()
        // What is under way when the epoch ends is the coordinator's to refuse.
        await this.#arrival('commit')
        this.#cluster.subjectToFaults('commit', () => this.#membership.commit(generation, offsets))
      },
      seek: (partition, offset) => {
        if (!signal.aborted) loop.seek(partition, offset)
      },
    }
  }

  async #assign(epoch: Epoch, partitions: readonly TopicPartition[]): Promise<readonly StartPosition[]> {
    const assigned = partitions.map((partition): AssignedPartition => {
      const committed = this.#group.committedOf(partition)
      return {
        ...this.#cluster.log(partition).range(),
        committed: committed && {offset: committed.offset, metadata: committed.metadata},
      }
    })
    const starts = await this.#handler.assigned(epoch, assigned)
    for (const {topic, partition} of partitions)
      if (!starts.some((start) => start.topic === topic && start.partition === partition))
        throw new StreamtoolError('BUG', `no start position for ${topic}, partition ${partition}`)
    return starts
  }

  #hearEnd(reason: EpochEnd): void {
    if (reason === 'fenced') this.#fenced = true
    this.#endFor(reason === 'rebalance' ? 'rebalance' : 'lost')
  }

  /** The first reason counts; what comes later can only make it worse. */
  #endFor(reason: RevokeReason): void {
    this.#end ??= reason
    if (reason === 'lost') this.#endSignal()
    this.#tellEnd()
  }

  #endSignal(): void {
    if (this.#over.signal.aborted) return
    const {groupId} = this.#group
    const message = `This member's epoch in group ${groupId} is over`
    this.#over.abort(new StreamtoolError('GROUP_STALE', message, {facts: {group: groupId}}))
  }

  /** A handler that was let go by the epoch's signal has not failed. */
  #isJustTheEnd(error: unknown): boolean {
    const {signal} = this.#over
    if (!signal.aborted) return false
    return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
  }

  #throwIfFenced(): void {
    if (!this.#fenced) return
    const {groupId} = this.#group
    const name = this.#membership.name()
    throw new StreamtoolError('GROUP_FENCED', `Another process took over as ${name} in group ${groupId}`, {
      facts: {group: groupId, instanceId: name},
    })
  }

  #arrival(kind: 'join' | 'fetch' | 'commit'): Promise<void> {
    return this.#cluster.arrival({kind, group: this.#group.groupId, member: this.#membership.name()})
  }
}
