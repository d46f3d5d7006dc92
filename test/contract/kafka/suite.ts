import {afterAll, beforeAll, describe} from 'vitest'
import type {BackendKind, KafkaBackend} from './backend.js'
import {brokerEventsContract} from './broker-events.contract.js'
import {groupConsumerContract} from './group-consumer.contract.js'
import {groupRebalanceContract} from './group-rebalance.contract.js'
import {groupTogetherContract} from './group-together.contract.js'
import {recordProducerContract} from './record-producer.contract.js'
import {topicAdminContract} from './topic-admin.contract.js'
import {topicReaderContract} from './topic-reader.contract.js'

/** What a suite gets: which levers there are, and the backend once its tests run. */
export interface ContractContext {
  readonly kind: BackendKind
  readonly backend: () => KafkaBackend
}

/** Everything that src/core/ports/ promises of a Kafka, on one backend. */
export function describeKafkaContract(kind: BackendKind): void {
  describe(`Kafka contract on ${kind.name}`, () => {
    let started: KafkaBackend | undefined
    beforeAll(async () => {
      started = await kind.start()
    })
    afterAll(async () => {
      await started?.close()
    })
    const context: ContractContext = {
      kind,
      backend: () => {
        if (!started) throw new Error(`${kind.name} is not started`)
        return started
      },
    }
    topicAdminContract(context)
    recordProducerContract(context)
    topicReaderContract(context)
    groupConsumerContract(context)
    groupRebalanceContract(context)
    groupTogetherContract(context)
    brokerEventsContract(context)
  })
}
