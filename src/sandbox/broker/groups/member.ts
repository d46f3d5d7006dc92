import {KafkaError} from '../protocol/errors.js'
import type {
  GroupProtocol,
  JoinRequest,
  JoinResult,
  MemberIdentity,
  SyncResult,
} from '../protocol/group-membership.js'
import {refusedJoin, refusedSync} from '../protocol/group-membership.js'

/** Where a request came from, for DescribeGroups. */
export interface ClientInfo {
  readonly clientId: string
  readonly clientHost: string
}

/** One member of a group: what it offers and was assigned, the request it waits in, and its session. */
export class Member implements MemberIdentity {
  readonly memberId: string
  readonly instanceId: string | null
  readonly client: ClientInfo
  readonly protocolType: string
  protocols: readonly GroupProtocol[] = []
  sessionTimeoutMs = 0
  rebalanceTimeoutMs = 0
  assignment: Buffer = Buffer.alloc(0)
  /** It has not been in any generation yet. */
  isNew = true
  /** Has sent SyncGroup in this generation. */
  hasSynced = false
  #parkedJoin: ((result: JoinResult) => void) | null = null
  #parkedSync: ((result: SyncResult) => void) | null = null
  #session: NodeJS.Timeout | undefined

  constructor(memberId: string, request: JoinRequest, client: ClientInfo) {
    this.memberId = memberId
    this.instanceId = request.instanceId
    this.protocolType = request.protocolType
    this.client = client
    this.update(request)
  }

  update({protocols, sessionTimeoutMs, rebalanceTimeoutMs}: JoinRequest): void {
    // Copied: what arrived is a view into a whole socket buffer, and members live long.
    this.protocols = protocols.map(({name, metadata}) => ({name, metadata: Buffer.from(metadata)}))
    this.sessionTimeoutMs = sessionTimeoutMs
    this.rebalanceTimeoutMs = rebalanceTimeoutMs ?? sessionTimeoutMs
  }

  offersTheSame(protocols: readonly GroupProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({name, metadata}, index) => {
        const mine = this.protocols[index]
        return mine?.name === name && mine.metadata.equals(metadata)
      })
    )
  }

  metadataFor(protocol: string): Buffer {
    return this.protocols.find(({name}) => name === protocol)?.metadata ?? Buffer.alloc(0)
  }

  get isWaitingInJoin(): boolean {
    return this.#parkedJoin !== null
  }

  /** A request that was parked before can only be from a connection that was given up. */
  parkJoin(): Promise<JoinResult> {
    this.answerJoin(refusedJoin(KafkaError.REBALANCE_IN_PROGRESS))
    return new Promise((resolve) => (this.#parkedJoin = resolve))
  }

  parkSync(): Promise<SyncResult> {
    this.answerSync(refusedSync(KafkaError.REBALANCE_IN_PROGRESS))
    return new Promise((resolve) => (this.#parkedSync = resolve))
  }

  answerJoin(result: JoinResult): void {
    this.#parkedJoin?.(result)
    this.#parkedJoin = null
  }

  answerSync(result: SyncResult): void {
    this.#parkedSync?.(result)
    this.#parkedSync = null
  }

  /**
   * Starts the session anew. One that waits in a request of ours cannot send heartbeats and is not late, unless
   * it waits in its very first one.
   */
  keepAlive(expired: () => void, timeoutMs = this.sessionTimeoutMs): void {
    this.endSession()
    this.#session = setTimeout(() => {
      const waitsForUs = this.#parkedSync !== null || (this.isWaitingInJoin && !this.isNew)
      if (waitsForUs) this.keepAlive(expired)
      else expired()
    }, timeoutMs)
  }

  endSession(): void {
    clearTimeout(this.#session)
  }

  /** It is a member no longer; a request it still waits in learns why. */
  dismiss(error: KafkaError): void {
    this.endSession()
    this.answerJoin(refusedJoin(error))
    this.answerSync(refusedSync(error))
  }
}
