import {StreamtoolError} from '../../../core/errors.js'
import type {
  AssignedPartition,
  Epoch,
  GroupConsumer,
  GroupHandler,
  GroupOptions,
  RevokeReason,
} from '../../../core/ports.js'
import type {Cluster} from './cluster.js'
import {FetchLoop} from './fetch-loop.js'
import type {EpochEnd, Group, Joined, Membership} from './group.js'

export function createMemoryConsumer(cluster: Cluster, group: Group, options: GroupOptions): GroupConsumer {
  const {topics, instanceId, leaveOnStop} = options
  return {
    async run(handler, signal) {
      for (const topic of topics) cluster.topic(topic)
      const membership = group.membership(topics, instanceId)
      try {
        while (!signal.aborted) await new EpochRun(cluster, group, membership, handler).run(signal)
      } finally {
        if (instanceId === null || leaveOnStop) membership.leave()
      }
    },
  }
}

/** One round of joining, reading and giving the partitions up. */
class EpochRun {
  readonly #cluster: Cluster
  readonly #group: Group
  readonly #membership: Membership
  readonly #handler: GroupHandler
  readonly #over = new AbortController()
  #fenced = false
  #endsFor!: (reason: RevokeReason) => void
  readonly #ending = new Promise<RevokeReason>((resolve) => (this.#endsFor = resolve))

  constructor(cluster: Cluster, group: Group, membership: Membership, handler: GroupHandler) {
    this.#cluster = cluster
    this.#group = group
    this.#membership = membership
    this.#handler = handler
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#endsFor('stopping')
    signal.addEventListener('abort', stop)
    try {
      const joined = await this.#join(signal)
      if (joined) await this.#serve(joined)
      this.#throwIfFenced()
    } finally {
      signal.removeEventListener('abort', stop)
      this.#end()
    }
  }

  async #join(signal: AbortSignal): Promise<Joined | null> {
    await this.#arrival('join')
    if (signal.aborted) return null
    const giveUp = () => this.#membership.leave()
    signal.addEventListener('abort', giveUp)
    try {
      return await this.#membership.join((reason) => this.#epochEnded(reason))
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  async #serve({generation, partitions}: Joined): Promise<void> {
    const handler = this.#handler
    const loop = new FetchLoop(this.#cluster, () => this.#arrival('fetch'))
    const epoch: Epoch = {
      generation,
      signal: this.#over.signal,
      commit: async (offsets) => {
        await this.#arrival('commit')
        if (this.#over.signal.aborted) throw this.#over.signal.reason
        this.#cluster.subjectToFaults('commit', () => this.#membership.commit(generation, offsets))
      },
      seek: (partition, offset) => {
        if (!this.#over.signal.aborted) loop.seek(partition, offset)
      },
    }
    const assigned = partitions.map((partition): AssignedPartition => {
      const committed = this.#group.committedOf(partition)
      return {
        ...this.#cluster.log(partition).range(),
        committed: committed && {offset: committed.offset, metadata: committed.metadata},
      }
    })
    const starts = await handler.assigned(epoch, assigned)
    const reading = loop.run(starts, handler, epoch).catch((error: unknown) => {
      // Work that was told by the epoch's signal that it is over has not failed.
      if (error !== this.#over.signal.reason) throw error
    })
    const reason = await Promise.race([this.#ending, reading.then(() => this.#ending)])
    loop.stop()
    await handler.revoked(epoch, partitions, reason)
    this.#end()
    await reading
  }

  #epochEnded(reason: EpochEnd): void {
    if (reason === 'fenced') this.#fenced = true
    this.#endsFor(reason === 'rebalance' ? 'rebalance' : 'lost')
    if (reason !== 'rebalance') this.#end()
  }

  #end(): void {
    this.#over.abort(
      new StreamtoolError('GROUP_STALE', `This member's epoch in group ${this.#group.groupId} is over`, {
        facts: {group: this.#group.groupId},
      }),
    )
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
