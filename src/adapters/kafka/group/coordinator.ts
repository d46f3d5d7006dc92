/** The broker that keeps the group: found when it is needed, and found again when it is another or away. */
import type {Cluster} from '../transport/cluster.js'
import {TransportFailure, isProtocolFailure} from '../transport/failures.js'
import type {Broker} from '../transport/metadata.js'
import type {ApiAnswer, ApiArgs, ApiName} from '../transport/protocol.js'
import type {RequestOptions} from '../transport/requester.js'

export class Coordinator {
  #broker: Broker | null = null

  constructor(
    readonly cluster: Cluster,
    readonly groupId: string,
  ) {}

  /** One attempt. @throws ProtocolFailure, TransportFailure, or the signal's reason */
  async ask<Name extends ApiName>(
    api: Name,
    args: ApiArgs<Name>,
    signal?: AbortSignal,
    options?: RequestOptions,
  ): Promise<ApiAnswer<Name>> {
    try {
      this.#broker ??= await this.cluster.coordinatorOf(this.groupId, signal)
      return await this.cluster.request(this.#broker, api, args, options, signal)
    } catch (error) {
      if (isCoordinatorAway(error)) this.forget()
      throw error
    }
  }

  /** The next request looks for it again. */
  forget(): void {
    this.#broker = null
  }
}

/** The codes say "not me", "nobody yet" and "not ready yet". */
export function isCoordinatorAway(error: unknown): boolean {
  return (
    error instanceof TransportFailure ||
    isProtocolFailure(
      error,
      'NOT_COORDINATOR_FOR_GROUP',
      'GROUP_COORDINATOR_NOT_AVAILABLE',
      'GROUP_LOAD_IN_PROGRESS',
    )
  )
}
