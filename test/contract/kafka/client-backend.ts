import {createKafkaClient} from '../../../src/adapters/kafka/index.js'
import {kafkaLevers} from '../../support/kafka-levers.js'
import {silentLogger} from '../../support/delivery.js'
import type {KafkaBackend, LeverName, Levers} from './backend.js'

/** A broker in another process, or at least behind a socket. */
export interface RunningBroker {
  readonly bootstrap: string
  /** The shortest session that this broker lets a group have. */
  readonly sessionTimeoutMs: number
  readonly restart: (() => Promise<void>) | null
  close(): Promise<void>
}

/** The real client on a running broker, with those levers that the broker obeys. */
export function clientBackend(broker: RunningBroker, leverNames: readonly LeverName[]): KafkaBackend {
  const client = createKafkaClient(
    {brokers: [broker.bootstrap], clientId: 'contract'},
    {logger: silentLogger},
  )
  const all: Levers = {...kafkaLevers(broker.bootstrap), restart: broker.restart}
  const levers: Levers = {
    addPartitions: null,
    trimLog: null,
    appendAborted: null,
    expireMember: null,
    restart: null,
    ...Object.fromEntries(leverNames.map((name) => [name, all[name]])),
  }
  return {
    admin: client.admin(),
    producer: client.producer(),
    compressingProducer: (compression) => client.producer({compression}),
    reader: client.reader(),
    groupConsumer: (options) => client.groupConsumer(options),
    timing: {sessionTimeoutMs: broker.sessionTimeoutMs, rebalanceTimeoutMs: 5000, heartbeatMs: 100},
    levers,
    close: async () => {
      await client.close()
      await broker.close()
    },
  }
}
