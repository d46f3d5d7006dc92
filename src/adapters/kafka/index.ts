/**
 * Kafka, as the core's ports want it. Admin, producer and group consumer each have connections of their own: a
 * broker answers one connection's requests one after another, and some of them take long on purpose.
 */
import type {
  Clock,
  GroupConsumer,
  GroupOptions,
  Logger,
  RecordProducer,
  TopicAdmin,
  TopicReader,
} from '../../core/ports/index.js'
import {createAdmin} from './admin.js'
import {createGroupConsumer} from './group/group-consumer.js'
import {createProducer, type ProducerOptions} from './producer.js'
import {createReader} from './reader.js'
import type {KafkaSettings} from './settings.js'
import {createCluster} from './transport/cluster.js'
import type {Cluster} from './transport/cluster.js'

export type {KafkaSettings, SaslSettings, TlsSettings} from './settings.js'

export interface KafkaClient {
  /** Nothing is connected before it is used. */
  admin(): TopicAdmin
  producer(options?: ProducerOptions): RecordProducer
  reader(): TopicReader
  /** Connected while its `run` goes on, and ended by it. */
  groupConsumer(options: GroupOptions): GroupConsumer
  /** Ends what this client has opened, also what was closed already. */
  close(): Promise<void>
}

export interface KafkaClientOptions {
  readonly logger: Logger
  readonly clock?: Clock
}

export function createKafkaClient(settings: KafkaSettings, options: KafkaClientOptions): KafkaClient {
  const {logger, clock} = options
  const clusters: Cluster[] = []
  const reached = {ever: false}
  const newCluster = (): Cluster => {
    const cluster = createCluster(settings, logger, {reached, ...(clock === undefined ? {} : {clock})})
    clusters.push(cluster)
    return cluster
  }
  return {
    admin: () => createAdmin(newCluster()),
    producer: (producing) =>
      createProducer(newCluster(), {...producing, ...(clock === undefined ? {} : {clock})}),
    reader: () =>
      createReader(newCluster(), newCluster(), settings, logger, clock === undefined ? {} : {clock}),
    groupConsumer: (group) =>
      createGroupConsumer(settings, group, logger, {reached, ...(clock === undefined ? {} : {clock})}),
    close: async () => {
      await Promise.all(clusters.map((cluster) => cluster.close()))
    },
  }
}
