/**
 * What ties this member to the coordinator in one generation: heartbeats and commits. Both carry the member id and
 * the generation of the moment it began, whatever this process has joined since.
 */
import type {CommittedOffset} from '../../../core/ports/index.js'
import {translateFailure} from '../errors.js'
import {isProtocolFailure, isRetriable} from '../transport/failures.js'
import {isCoordinatorAway} from './coordinator.js'
import type {Coordinator} from './coordinator.js'
import {Heartbeats} from './heartbeats.js'
import type {HeartbeatOptions} from './heartbeats.js'
import type {JoinedGeneration} from './joining.js'
import {commitOffsets} from './offsets.js'

export interface MembershipOptions extends Pick<
  HeartbeatOptions,
  'heartbeatMs' | 'sessionTimeoutMs' | 'clock' | 'tell'
> {
  readonly coordinator: Coordinator
  readonly instanceId: string | null
}

export class Membership {
  readonly #heartbeats: Heartbeats

  constructor(
    private readonly joined: JoinedGeneration,
    private readonly options: MembershipOptions,
  ) {
    this.#heartbeats = new Heartbeats({
      ...options,
      beat: (timeoutMs, signal) => this.#beat(timeoutMs, signal),
      isOutage: (error) => isCoordinatorAway(error) || isRetriable(error),
    })
  }

  /** Heartbeats until the signal aborts. Never rejects. */
  keep(signal: AbortSignal): Promise<void> {
    return this.#heartbeats.run(signal)
  }

  /** One attempt. @throws GROUP_STALE, BROKER_UNREACHABLE, BROKER_REFUSED, NOT_AUTHORISED */
  async commit(offsets: readonly CommittedOffset[]): Promise<void> {
    const {coordinator} = this.options
    try {
      await commitOffsets(coordinator, this.joined, offsets)
    } catch (error) {
      // A commit does not carry the instance id: whether a twin took over is told to the next heartbeat.
      if (isProtocolFailure(error, 'UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION')) this.#heartbeats.now()
      throw translateFailure(error, {
        groupId: coordinator.groupId,
        addresses: coordinator.cluster.addresses,
      })
    }
  }

  #beat(timeoutMs: number, signal: AbortSignal): Promise<unknown> {
    const {coordinator, instanceId} = this.options
    const {generation, memberId} = this.joined
    const {groupId} = coordinator
    const args = {groupId, groupGenerationId: generation, memberId, groupInstanceId: instanceId}
    return coordinator.ask('Heartbeat', args, signal, {timeoutMs})
  }
}
