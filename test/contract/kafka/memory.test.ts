import {createMemoryKafka} from '../../../src/adapters/memory/kafka/index.js'
import {describeKafkaContract} from './suite.js'

describeKafkaContract({
  name: 'the memory adapter',
  hasWire: false,
  levers: ['addPartitions', 'trimLog', 'appendAborted', 'expireMember'],
  start: async () => {
    const kafka = createMemoryKafka()
    return {
      admin: kafka.admin(),
      producer: kafka.producer(),
      reader: kafka.reader(),
      groupConsumer: (options) => kafka.groupConsumer(options),
      timing: {sessionTimeoutMs: 20, rebalanceTimeoutMs: 20, heartbeatMs: 5},
      levers: {
        addPartitions: async (topic, count) => kafka.addPartitions(topic, count),
        trimLog: async (partition, offset) => kafka.trimLog(partition, offset),
        // The records and the marker that ends their transaction.
        appendAborted: async (partition, count) => kafka.appendHole(partition, count + 1),
        expireMember: async (groupId, memberId) => kafka.expireMember(groupId, memberId),
        restart: null,
      },
      close: async () => undefined,
    }
  },
})
