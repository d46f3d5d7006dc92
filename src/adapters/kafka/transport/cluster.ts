/**
 * A Kafka cluster as this process sees it: who its brokers are, who leads what, and one connection to each broker
 * that was talked to. Group, fetch and produce each have a cluster of their own, because a broker answers the
 * requests of one connection one after another, and JoinGroup is answered when the whole group has come.
 */
import type {Clock, Logger} from '../../../core/ports/index.js'
import {DEFAULT_FIRST_CONNECTION_MS, DEFAULT_OUTAGE_TOLERANCE_MS} from '../settings.js'
import type {BrokerAddress, KafkaSettings} from '../settings.js'
import {parseAddress} from './addresses.js'
import {firstThatAnswers} from './any-broker.js'
import {createConnectionCache} from './connection-cache.js'
import {addressText} from './failure-causes.js'
import type {FrameMemory} from './frame-memory.js'
import {ProtocolFailure, TransportFailure, isRetriable} from './failures.js'
import {controllerIn, leaderIn, mergeMetadata} from './metadata.js'
import type {Broker, ClusterMetadata, TopicMetadata} from './metadata.js'
import {systemClock} from '../../system/clock.js'
import {abortable, patiently} from './patience.js'
import type {ApiAnswer, ApiArgs, ApiName} from './protocol.js'
import {createRequester} from './requester.js'
import type {DecodingRequestOptions, RequestOptions} from './requester.js'

export interface PatienceOptions {
  readonly signal?: AbortSignal | undefined
  /** What may heal by waiting; default: what transport and protocol call retriable. */
  readonly retriable?: (error: unknown) => boolean
  /** Instead of the outage tolerance, for what is retriable; may depend on what went wrong. */
  readonly limitMs?: (error: unknown) => number | undefined
}

export interface Cluster {
  /** For messages: the brokers that were named in the settings. */
  readonly addresses: string
  /** Reaches any broker; patient for `firstConnectionMs` until one was reached. @throws TransportFailure */
  connect(signal?: AbortSignal): Promise<void>
  /** Asks for these topics, or for all that were ever asked for. One attempt over all brokers. */
  refreshMetadata(topics?: readonly string[], signal?: AbortSignal): Promise<void>
  /** As of the last refresh; null when the topic was never asked for. */
  topic(topic: string): TopicMetadata | null
  /** As of the last refresh; null while the topic is not known to exist. */
  partitionCount(topic: string): number | null
  /** Null before the first refresh, and from brokers that have none. */
  clusterId(): string | null
  /** From the last refresh, and from a new one when that has no answer. @throws ProtocolFailure, TransportFailure */
  leaderOf(topic: string, partition: number, signal?: AbortSignal): Promise<Broker>
  /** Always asks. @throws ProtocolFailure (COORDINATOR_NOT_AVAILABLE and the like), TransportFailure */
  coordinatorOf(groupId: string, signal?: AbortSignal): Promise<Broker>
  /** Always asks. */
  controller(signal?: AbortSignal): Promise<Broker>
  /**
   * One request, tried once, with a decoder of the caller's, who then looks at all error codes himself. A broken
   * connection is opened anew first.
   */
  request<Name extends ApiName, T>(
    broker: Broker,
    api: Name,
    args: ApiArgs<Name>,
    options: DecodingRequestOptions<T>,
    signal?: AbortSignal,
  ): Promise<T>
  /**
   * The same with the codec's decoder.
   * @throws ProtocolFailure for the answer's own error code, TransportFailure, or the signal's reason
   */
  request<Name extends ApiName>(
    broker: Broker,
    api: Name,
    args: ApiArgs<Name>,
    options?: RequestOptions,
    signal?: AbortSignal,
  ): Promise<ApiAnswer<Name>>
  /**
   * Tries again, with back-off, until the outage tolerance is over; until `firstConnectionMs` is over as long as no
   * broker has ever been reached. @throws what the last attempt threw, or the signal's reason
   */
  patiently<T>(attempt: () => Promise<T>, options?: PatienceOptions): Promise<T>
  /** Ends all connections; what is still out fails. */
  close(): Promise<void>
}

/** Shared by what belongs together: who has reached the brokers once knows that they are where they should be. */
export interface Reached {
  /** Under the address by which the cluster names it, which need not be one that this host can reach. */
  ever: boolean
}

export interface ClusterOptions {
  readonly clock?: Clock
  readonly reached?: Reached
  /** For large answers, whose readers give it back. */
  readonly frameMemory?: FrameMemory | null
}

export function createCluster(
  settings: KafkaSettings,
  logger: Logger,
  {clock = systemClock, reached = {ever: false}, frameMemory = null}: ClusterOptions = {},
): Cluster {
  const outageToleranceMs = settings.outageToleranceMs ?? DEFAULT_OUTAGE_TOLERANCE_MS
  const firstConnectionMs = settings.firstConnectionMs ?? DEFAULT_FIRST_CONNECTION_MS
  const bootstrap = settings.brokers.map(parseAddress)
  const addresses = bootstrap.map(addressText).join(', ')
  const connections = createConnectionCache(settings, logger, frameMemory)
  const requester = createRequester(connections, settings)
  const topicsOfInterest = new Set<string>()
  const refreshing = new Map<string, Promise<void>>()
  let metadata: ClusterMetadata | null = null
  let outageTold = false

  /** Connected brokers first, then the other known ones, then those of the settings. */
  function candidates(): BrokerAddress[] {
    const known = [...(metadata?.brokers.values() ?? [])]
    const all = new Map([...known, ...bootstrap].map((address) => [addressText(address), address]))
    return [...all.values()].sort((a, b) => Number(connections.isOpen(b)) - Number(connections.isOpen(a)))
  }

  const askAny = <Name extends ApiName>(api: Name, args: ApiArgs<Name>, signal?: AbortSignal) =>
    firstThatAnswers(candidates(), (address) => requester.request(address, api, args, {}, signal))

  async function refresh(topics: readonly string[]): Promise<void> {
    const answer = await askAny('Metadata', {topics, allowAutoTopicCreation: false})
    metadata = mergeMetadata(metadata, answer)
    const brokers = [...metadata.brokers.values()]
    connections.retain(brokers)
    reached.ever ||= brokers.some((broker) => connections.isOpen(broker))
  }

  async function request<Name extends ApiName, T>(
    broker: Broker,
    api: Name,
    args: ApiArgs<Name>,
    options: RequestOptions | DecodingRequestOptions<T> = {},
    signal?: AbortSignal,
  ): Promise<T | ApiAnswer<Name>> {
    const answer =
      'decode' in options
        ? await requester.requestDecoding(broker, api, args, options, signal)
        : await requester.request(broker, api, args, options, signal)
    reached.ever = true
    return answer
  }

  const cluster: Cluster = {
    addresses,
    connect: (signal) => cluster.patiently(() => cluster.refreshMetadata(undefined, signal), {signal}),
    async refreshMetadata(topics, signal) {
      for (const topic of topics ?? []) topicsOfInterest.add(topic)
      const wanted = [...(topics ?? topicsOfInterest)].sort()
      const key = wanted.join(' ')
      let shared = refreshing.get(key)
      if (shared === undefined) {
        shared = refresh(wanted).finally(() => refreshing.delete(key))
        refreshing.set(key, shared)
      }
      await abortable(shared, signal)
    },
    topic: (topic) => metadata?.topics.get(topic) ?? null,
    partitionCount(topic) {
      const known = cluster.topic(topic)
      return known === null || known.errorCode !== 0 ? null : known.leaders.size
    },
    clusterId: () => metadata?.clusterId ?? null,
    async leaderOf(topic, partition, signal) {
      const cached = leaderIn(metadata, topic, partition)
      if (!(cached instanceof ProtocolFailure)) return cached
      await cluster.refreshMetadata([topic], signal)
      const leader = leaderIn(metadata, topic, partition)
      if (leader instanceof ProtocolFailure) throw leader
      return leader
    },
    async coordinatorOf(groupId, signal) {
      const {coordinator} = await askAny('GroupCoordinator', {groupId, coordinatorType: 0}, signal)
      return {...coordinator, rack: null}
    },
    async controller(signal) {
      await cluster.refreshMetadata([], signal)
      const controller = controllerIn(metadata)
      if (controller instanceof ProtocolFailure) throw controller
      return controller
    },
    request: request,
    async patiently(attempt, {signal, retriable = isRetriable, limitMs} = {}) {
      const result = await patiently(attempt, {
        clock,
        signal,
        limitMs: (error) => {
          if (!retriable(error)) return 0
          const wantedMs = limitMs?.(error) ?? outageToleranceMs
          const neverReached = !reached.ever && error instanceof TransportFailure
          return neverReached ? Math.min(firstConnectionMs, wantedMs) : wantedMs
        },
        onRetry: (error) => {
          if (outageTold || !(error instanceof TransportFailure)) return
          outageTold = true
          logger.warn('Kafka cannot be reached at the moment, trying again', {reason: error.message})
        },
      })
      if (outageTold) logger.info('Kafka is reached again')
      outageTold = false
      return result
    },
    close: async () => connections.close(),
  }
  return cluster
}
