import {StreamtoolError, type ErrorCode} from '../../../core/errors.js'
import type {
  GroupConsumer,
  GroupOptions,
  RecordProducer,
  TopicAdmin,
  TopicPartition,
  TopicReader,
} from '../../../core/ports/index.js'
import {recordBatchBytes} from './batch-bytes.js'
import {Cluster, type Fault, type MemoryClusterOptions} from './cluster.js'
import {createMemoryConsumer} from './consumer.js'
import {Group} from './group.js'
import {createMemoryReader} from './reader.js'

export type {Fault, MemoryClusterOptions, MemoryOperation} from './cluster.js'

/**
 * A Kafka in memory, for tests of pipelines and plugins and for dry runs: topics, groups with eager rebalances,
 * generations and static members, commits with metadata. No timers: a session ends, and a rebalance is forced,
 * only when a control says so. Everything a real cluster does to its clients has a control.
 */
export interface MemoryKafka {
  admin(): TopicAdmin
  producer(): RecordProducer
  reader(): TopicReader
  groupConsumer(options: GroupOptions): GroupConsumer

  addPartitions(topic: string, count: number): void
  /** Deletes what is before `offset`, as retention does. */
  trimLog(partition: TopicPartition, offset: number): void
  /** Deletes what is at and behind `offset`, as an unclean leader election does. */
  truncateLog(partition: TopicPartition, offset: number): void
  /** Leaves a hole for `from <= offset < to`, as compaction does. */
  compactLog(partition: TopicPartition, from: number, to: number): void
  /** Adds offsets that nobody will ever see, as an aborted transaction does. */
  appendHole(partition: TopicPartition, count: number): void

  forceRebalance(groupId: string): void
  /**
   * Ends a member's session as missed heartbeats do; the others regroup at once. The member itself hears of it
   * now, or after `noticedAfter`: until then it works on, a zombie whose commits are refused.
   */
  expireMember(groupId: string, memberId: string, options?: {noticedAfter?: Promise<unknown>}): void
  failNext(operation: 'produce' | 'commit', fault: Fault, options?: {times?: number; code?: ErrorCode}): void
}

export interface MemoryKafkaOptions extends MemoryClusterOptions {
  /** Partitions of a topic that is created on demand. */
  readonly defaultPartitions?: number
}

export function createMemoryKafka(options: MemoryKafkaOptions = {}): MemoryKafka {
  const cluster = new Cluster(options)
  const groups = new Map<string, Group>()
  const group = (groupId: string): Group => {
    const existing = groups.get(groupId) ?? new Group(groupId, cluster)
    groups.set(groupId, existing)
    return existing
  }
  const changing = (change: () => void): void => {
    change()
    cluster.changed()
  }
  return {
    admin: () => createMemoryAdmin(cluster, group, options.defaultPartitions ?? 1),
    producer: () => createMemoryProducer(cluster),
    reader: () => createMemoryReader(cluster),
    groupConsumer: (groupOptions) => createMemoryConsumer(cluster, group(groupOptions.groupId), groupOptions),

    addPartitions: (topic, count) => {
      cluster.growTo(topic, count)
      for (const each of groups.values()) if (each.subscribesTo(topic)) each.rebalance()
    },
    trimLog: (partition, offset) => changing(() => cluster.log(partition).trim(offset)),
    truncateLog: (partition, offset) => changing(() => cluster.log(partition).truncate(offset)),
    compactLog: (partition, from, to) => changing(() => cluster.log(partition).compact(from, to)),
    appendHole: (partition, count) => changing(() => cluster.log(partition).appendHole(count)),

    forceRebalance: (groupId) => group(groupId).rebalance(),
    expireMember: (groupId, memberId, {noticedAfter} = {}) => group(groupId).expire(memberId, noticedAfter),
    failNext: (operation, fault, {times = 1, code = 'BROKER_UNREACHABLE'} = {}) =>
      cluster.failNext(operation, fault, times, code),
  }
}

function createMemoryAdmin(
  cluster: Cluster,
  group: (groupId: string) => Group,
  defaultPartitions: number,
): TopicAdmin {
  return {
    async describeTopic(name, {mayCreate = false} = {}) {
      const topic = mayCreate ? cluster.createTopic(name, defaultPartitions) : cluster.topic(name)
      const {maxMessageBytes, logs} = topic
      return {topic: name, clusterId: cluster.clusterId, partitionCount: logs.length, maxMessageBytes}
    },
    async partitionRanges(name) {
      return cluster.topic(name).logs.map((log) => log.range())
    },
    async offsetAt(name, timestampMs) {
      const found = cluster.topic(name).logs.map((log) => [log.partition, log.offsetAt(timestampMs)] as const)
      return new Map(found.flatMap(([partition, offset]) => (offset === null ? [] : [[partition, offset]])))
    },
    async createTopic(name, {partitions, config}) {
      cluster.createTopic(name, partitions, config)
    },
    async committedOffsets(groupId, topic) {
      return group(groupId).committed(topic)
    },
    async groupMembers(groupId) {
      return group(groupId).members()
    },
    async resetOffsets(groupId, offsets) {
      group(groupId).reset(offsets)
    },
    async close() {
      // Nothing is held.
    },
  }
}

function createMemoryProducer(cluster: Cluster): RecordProducer {
  return {
    async send(batch, signal) {
      signal?.throwIfAborted()
      // Copied before anything is awaited: the sender may reuse its buffers once this has resolved.
      const nowMs = cluster.nowMs()
      const records = batch.records.map(({key, value, headers, timestampMs}) => ({
        timestampMs: timestampMs ?? nowMs,
        key: key && Buffer.from(key),
        value: value && Buffer.concat(value),
        headers: headers.map((header) => ({...header, value: header.value && Buffer.from(header.value)})),
      }))
      await cluster.arrival({kind: 'produce'})
      signal?.throwIfAborted()
      const log = cluster.log(batch)
      const {maxMessageBytes} = cluster.topic(batch.topic)
      const bytes = recordBatchBytes(batch.records, nowMs)
      if (bytes > maxMessageBytes) throw messageTooLarge(batch, bytes, maxMessageBytes)
      const baseOffset = cluster.subjectToFaults('produce', () => log.append(records))
      cluster.changed()
      return {baseOffset}
    },
    async close() {
      // Nothing is held.
    },
  }
}

function messageTooLarge({topic, partition}: TopicPartition, bytes: number, limit: number): StreamtoolError {
  return new StreamtoolError(
    'MESSAGE_TOO_LARGE',
    `A record batch of ${bytes} bytes for ${topic}/${partition} exceeds max.message.bytes, ${limit}`,
    {facts: {topic, partition, bytes, limit}},
  )
}
