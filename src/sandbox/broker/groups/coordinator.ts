import type {Logger} from '../../../core/ports/index.js'
import type {GroupDescription} from '../protocol/administration.js'
import {attempt, KafkaError, Refusal} from '../protocol/errors.js'
import type {
  GenerationRequest,
  JoinRequest,
  JoinResult,
  MemberIdentity,
  SyncRequest,
  SyncResult,
} from '../protocol/group-membership.js'
import type {CommittedPosition, OffsetCommitRequest, OffsetFetchRequest} from '../protocol/group-offsets.js'
import type {ByTopic} from '../protocol/schema.js'
import {CommittedOffsets} from './committed-offsets.js'
import {Group} from './group.js'
import type {ClientInfo} from './member.js'

/** Apache Kafka's own minimum is 6 s unless configured; tests need it shorter. */
export const SESSION_TIMEOUT_MS = {min: 100, max: 1_800_000}
/** In UTF-16 units, as Apache Kafka counts them; bytes, for the ASCII that is usual there. */
export const MAX_OFFSET_METADATA = 4096

/** All consumer groups: who is in them, and what they have committed. */
export class GroupCoordinator {
  readonly #groups = new Map<string, Group>()
  readonly #offsets: CommittedOffsets
  readonly #hasPartition: (topic: string, partition: number) => boolean

  constructor(options: {
    readonly journalPath: string
    readonly hasPartition: (topic: string, partition: number) => boolean
    readonly logger: Logger
  }) {
    this.#offsets = new CommittedOffsets(options.journalPath, options.logger)
    this.#hasPartition = options.hasPartition
  }

  /** @throws Refusal (by rejecting) INVALID_GROUP_ID, INVALID_SESSION_TIMEOUT, and what {@link Group.join} throws */
  async join(request: JoinRequest, client: ClientInfo): Promise<JoinResult> {
    if (request.groupId === '') throw new Refusal('INVALID_GROUP_ID')
    const {sessionTimeoutMs, memberId, groupId} = request
    if (sessionTimeoutMs < SESSION_TIMEOUT_MS.min || sessionTimeoutMs > SESSION_TIMEOUT_MS.max) {
      throw new Refusal('INVALID_SESSION_TIMEOUT')
    }
    if (memberId === '' && !this.#groups.has(groupId)) this.#groups.set(groupId, new Group(groupId))
    return this.#group(groupId).join(request, client)
  }

  async sync(request: SyncRequest): Promise<SyncResult> {
    return this.#group(request.groupId).sync(request)
  }

  /** @throws Refusal */
  heartbeat(request: GenerationRequest): void {
    this.#group(request.groupId).heartbeat(request)
  }

  leave(groupId: string, members: readonly MemberIdentity[]): (MemberIdentity & {readonly error: number})[] {
    return members.map((member) => ({
      ...member,
      error: attempt(() => this.#group(groupId).leave(member)).error,
    }))
  }

  commit(request: OffsetCommitRequest): ByTopic<{readonly partition: number; readonly error: number}>[] {
    const refused = attempt(() => this.#checkCommit(request)).error
    const errorOf = (topic: string, position: CommittedPosition) =>
      this.#positionError(topic, position) || refused || metadataError(position)
    const accepted = request.topics.flatMap(({topic, partitions}) =>
      partitions.filter((each) => errorOf(topic, each) === KafkaError.NONE).map((each) => ({topic, ...each})),
    )
    const unstored = attempt(() => this.#offsets.commit(request.groupId, accepted)).error
    return request.topics.map(({topic, partitions}) => ({
      topic,
      partitions: partitions.map((position) => {
        return {partition: position.partition, error: errorOf(topic, position) || unstored}
      }),
    }))
  }

  fetchOffsets({groupId, topics}: OffsetFetchRequest): ByTopic<CommittedPosition>[] {
    if (topics === null) return this.#offsets.all(groupId)
    return topics.map(({topic, partitions}) => ({
      topic,
      partitions: partitions.map(
        (partition) => this.#offsets.get(groupId, topic, partition) ?? {partition, offset: -1, metadata: ''},
      ),
    }))
  }

  describe(groupId: string): GroupDescription {
    if (this.#groups.has(groupId) || this.#offsets.has(groupId)) return this.#groupOrEmpty(groupId).describe()
    return {error: KafkaError.NONE, groupId, state: 'Dead', protocolType: '', protocol: '', members: []}
  }

  list(): Pick<GroupDescription, 'groupId' | 'protocolType'>[] {
    const ids = new Set([...this.#groups.keys(), ...this.#offsets.groupIds()])
    return [...ids].map((groupId) => ({groupId, protocolType: this.#groupOrEmpty(groupId).protocolType}))
  }

  /** @throws Refusal GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP */
  delete(groupId: string): void {
    if (!this.#groups.has(groupId) && !this.#offsets.has(groupId)) throw new Refusal('GROUP_ID_NOT_FOUND')
    const group = this.#groupOrEmpty(groupId)
    if (!group.isEmpty) throw new Refusal('NON_EMPTY_GROUP')
    group.close()
    this.#groups.delete(groupId)
    this.#offsets.deleteGroup(groupId)
  }

  topicDeleted(topic: string): void {
    this.#offsets.deleteTopic(topic)
  }

  close(): void {
    for (const group of this.#groups.values()) group.close()
    this.#offsets.close()
  }

  #group(groupId: string): Group {
    const group = this.#groups.get(groupId)
    if (group === undefined) throw new Refusal('UNKNOWN_MEMBER_ID')
    return group
  }

  /** A group that is known by its offsets alone has no members. */
  #groupOrEmpty(groupId: string): Group {
    return this.#groups.get(groupId) ?? new Group(groupId)
  }

  #checkCommit(request: OffsetCommitRequest): void {
    if (!this.#groups.has(request.groupId) && request.generation >= 0) throw new Refusal('ILLEGAL_GENERATION')
    this.#groupOrEmpty(request.groupId).checkCommit(request)
  }

  #positionError(topic: string, {partition}: CommittedPosition): KafkaError {
    return this.#hasPartition(topic, partition) ? KafkaError.NONE : KafkaError.UNKNOWN_TOPIC_OR_PARTITION
  }
}

function metadataError({metadata}: CommittedPosition): KafkaError {
  return (metadata?.length ?? 0) > MAX_OFFSET_METADATA
    ? KafkaError.OFFSET_METADATA_TOO_LARGE
    : KafkaError.NONE
}
