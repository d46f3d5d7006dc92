import {clientBackend} from '../contract/kafka/client-backend.js'
import {describeKafkaContract} from '../contract/kafka/suite.js'
import type {LeverName} from '../contract/kafka/backend.js'
import {SHORTEST_SESSION_MS, startRealKafka} from '../support/real-kafka.js'

const levers: readonly LeverName[] = ['addPartitions', 'trimLog', 'appendAborted', 'expireMember', 'restart']

describeKafkaContract({
  name: 'Apache Kafka',
  levers,
  start: async () => {
    const kafka = await startRealKafka()
    return clientBackend({...kafka, sessionTimeoutMs: SHORTEST_SESSION_MS}, levers)
  },
})
