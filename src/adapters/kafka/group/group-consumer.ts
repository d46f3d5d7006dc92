/** A member of a consumer group: joins, lives through one epoch after another, leaves. */
import {StreamtoolError} from '../../../core/errors.js'
import {awaitedWithin} from '../../../core/flow/index.js'
import type {Clock, GroupConsumer, GroupHandler, GroupOptions, Logger} from '../../../core/ports/index.js'
import {translateFailure, translating} from '../errors.js'
import {DEFAULT_FETCH_LIMITS, limitsFor} from '../fetch/leader-requests.js'
import type {FetchLimits} from '../fetch/leader-requests.js'
import {DEFAULT_OUTAGE_TOLERANCE_MS} from '../settings.js'
import type {KafkaSettings} from '../settings.js'
import {createCluster} from '../transport/cluster.js'
import type {Cluster, Reached} from '../transport/cluster.js'
import {FrameMemory} from '../transport/frame-memory.js'
import {ProtocolFailure, isProtocolFailure} from '../transport/failures.js'
import {errorOfCode} from '../transport/kafkajs-internals.js'
import {systemClock} from '../../system/clock.js'
import {Coordinator} from './coordinator.js'
import {EpochLife} from './epoch-life.js'
import type {EpochSurroundings} from './epoch-life.js'
import {Joining} from './joining.js'
import type {JoinedGeneration} from './joining.js'
import {PartitionWatch} from './partition-watch.js'

export const DEFAULT_SESSION_TIMEOUT_MS = 45_000
export const DEFAULT_REBALANCE_TIMEOUT_MS = 60_000
export const DEFAULT_HEARTBEAT_MS = 3_000

export interface GroupTuning {
  readonly clock?: Clock
  readonly reached?: Reached
  readonly fetch?: Partial<FetchLimits>
  readonly frameMemory?: FrameMemory
  /** How often each member looks whether a topic has gained partitions. */
  readonly partitionWatchMs?: number
}

const DEFAULT_PARTITION_WATCH_MS = 10_000
/** A topic that was just created may not be known to every broker yet. */
const UNKNOWN_TOPIC_MS = 5_000
/** Between hearing of a rebalance, at the next heartbeat, and joining it. */
const REVOKE_MARGIN_MS = 5_000
const LEAVE_LIMIT_MS = 3_000
const UNKNOWN_TOPIC_OR_PARTITION = 3
/** What an answer has beside the records of its partitions. */
const ANSWER_HEAD_BYTES = 16 * 1024

/** At most a third of a session, so that one may be lost. */
function heartbeatFor(sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS): number {
  return Math.min(DEFAULT_HEARTBEAT_MS, sessionTimeoutMs / 3)
}

export function createGroupConsumer(
  settings: KafkaSettings,
  options: GroupOptions,
  logger: Logger,
  tuning: GroupTuning = {},
): GroupConsumer {
  return {
    run: (handler, signal) => new GroupRun(settings, options, logger, tuning).run(handler, signal),
  }
}

class GroupRun {
  readonly #options: Required<GroupOptions>
  readonly #clock: Clock
  /** JoinGroup holds up everything behind it on its connection, and so does a long poll. */
  readonly #control: Cluster
  readonly #fetching: Cluster
  readonly #coordinator: Coordinator
  readonly #joining: Joining
  readonly #surroundings: EpochSurroundings

  constructor(
    private readonly settings: KafkaSettings,
    options: GroupOptions,
    private readonly logger: Logger,
    tuning: GroupTuning,
  ) {
    this.#options = {
      ...options,
      assignment: options.assignment ?? 'spread',
      sessionTimeoutMs: options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? DEFAULT_REBALANCE_TIMEOUT_MS,
      heartbeatMs: options.heartbeatMs ?? heartbeatFor(options.sessionTimeoutMs),
      fetchBytes: options.fetchBytes ?? 2 * DEFAULT_FETCH_LIMITS.answerBytes,
    }
    const {topics, groupId, rebalanceTimeoutMs, heartbeatMs} = this.#options
    const clock = tuning.clock ?? systemClock
    this.#clock = clock
    const reached = tuning.reached ?? {ever: false}
    this.#control = createCluster(settings, logger, {clock, reached})
    const limits = {...limitsFor(this.#options.fetchBytes), ...tuning.fetch}
    const frameMemory = tuning.frameMemory ?? new FrameMemory(limits.answerBytes + ANSWER_HEAD_BYTES)
    this.#fetching = createCluster(settings, logger, {clock, reached, frameMemory})
    this.#coordinator = new Coordinator(this.#control, groupId)
    this.#joining = new Joining(this.#coordinator, this.#options, clock, logger)
    this.#surroundings = {
      ...this.#options,
      coordinator: this.#coordinator,
      revokeLimitMs: Math.max(rebalanceTimeoutMs / 2, rebalanceTimeoutMs - heartbeatMs - REVOKE_MARGIN_MS),
      watch: new PartitionWatch(
        this.#control,
        topics,
        tuning.partitionWatchMs ?? DEFAULT_PARTITION_WATCH_MS,
        clock,
      ),
      fetch: {
        control: this.#control,
        fetching: this.#fetching,
        limits,
        frameMemory,
        toleranceMs: settings.outageToleranceMs ?? DEFAULT_OUTAGE_TOLERANCE_MS,
        clock,
        logger,
      },
    }
  }

  async run(handler: GroupHandler, signal: AbortSignal): Promise<void> {
    try {
      if (signal.aborted) return
      await this.#findTopics(signal)
      await this.#liveOn(handler, signal)
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw this.#explain(error)
    } finally {
      await this.#leave()
      await Promise.all([this.#control.close(), this.#fetching.close()])
    }
  }

  async #liveOn(handler: GroupHandler, signal: AbortSignal): Promise<void> {
    let previous = Promise.resolve()
    for (;;) {
      const joined = await this.#joining.join(signal)
      this.#refuseForeignTopics(joined)
      const life = new EpochLife(joined, handler, this.#surroundings)
      const end = await life.live(previous, signal)
      previous = Promise.all([previous, life.handlerIsThrough()]).then(() => undefined)
      previous.catch(() => undefined)
      if (end.isForgotten) this.#joining.memberId = ''
      if (end.failure !== null) throw end.failure.error
      if (end.reason === 'stopping') return this.#awaitHandler(previous)
      if (end.reason === 'rebalance') this.#joining.claim(joined)
    }
  }

  /** What the handler still holds; not for ever, since the epoch's signal has told it to let go. */
  #awaitHandler(through: Promise<unknown>): Promise<void> {
    return awaitedWithin(this.#surroundings.revokeLimitMs, through, this.#clock)
  }

  async #findTopics(signal: AbortSignal): Promise<void> {
    for (const topic of this.#options.topics) {
      await translating({topic, addresses: this.#control.addresses}, () =>
        this.#control.patiently(() => this.#findTopic(topic, signal), {
          signal,
          limitMs: (error) =>
            isProtocolFailure(error, 'UNKNOWN_TOPIC_OR_PARTITION') ? UNKNOWN_TOPIC_MS : undefined,
        }),
      )
    }
  }

  async #findTopic(topic: string, signal: AbortSignal): Promise<void> {
    await this.#control.refreshMetadata([topic], signal)
    const code = this.#control.topic(topic)?.errorCode ?? UNKNOWN_TOPIC_OR_PARTITION
    if (code !== 0) throw new ProtocolFailure(errorOfCode(code))
  }

  #refuseForeignTopics({partitions}: JoinedGeneration): void {
    const {groupId, topics} = this.#options
    const foreign = partitions.find(({topic}) => !topics.includes(topic))
    if (foreign === undefined) return
    throw new StreamtoolError(
      'ASSIGNED_FOREIGN_TOPIC',
      `the leader of group ${groupId} assigned topic ${foreign.topic}, which this process did not ask for`,
      {
        facts: {groupId, topic: foreign.topic},
        suggestions: [
          'give each set of topics a group of its own',
          'stop the other program that uses this group',
        ],
      },
    )
  }

  async #leave(): Promise<void> {
    const {groupId, instanceId, leaveOnStop} = this.#options
    const {memberId, wasStoppedWhileJoining} = this.#joining
    if (instanceId !== null && !leaveOnStop) return
    // Without a member id whoever has the instance id would be thrown out; only while joining that is this process.
    if (memberId === '' && !(wasStoppedWhileJoining && instanceId !== null)) return
    const cluster = wasStoppedWhileJoining ? createCluster(this.settings, this.logger) : this.#control
    try {
      const coordinator = new Coordinator(cluster, groupId)
      const args = {groupId, memberId, groupInstanceId: instanceId}
      await coordinator.ask('LeaveGroup', args, AbortSignal.timeout(LEAVE_LIMIT_MS))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.logger.debug('could not say goodbye to the group', {groupId, reason})
    } finally {
      if (wasStoppedWhileJoining) await cluster.close()
    }
  }

  #explain(error: unknown): unknown {
    return translateFailure(error, {groupId: this.#options.groupId, addresses: this.#control.addresses})
  }
}
