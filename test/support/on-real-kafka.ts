/** Apache Kafka for the tests of one file, with a client of ours, and what tells commands where it is. */
import {afterAll, beforeAll} from 'vitest'
import {createKafkaClient, type KafkaClient} from '../../src/adapters/kafka/index.js'
import {silentLogger} from './delivery.js'
import {type RealKafka, startRealKafka} from './real-kafka.js'
import {temporaryDirectories} from './temporary-directory.js'

export interface OnRealKafka {
  readonly broker: RealKafka
  readonly kafka: KafkaClient
  readonly env: NodeJS.ProcessEnv
}

/** There from the file's first test on. */
export function onRealKafka(): OnRealKafka {
  const newDirectory = temporaryDirectories()
  const ground = {} as {-readonly [K in keyof OnRealKafka]: OnRealKafka[K]}
  beforeAll(async () => {
    ground.broker = await startRealKafka()
    const {bootstrap} = ground.broker
    ground.kafka = createKafkaClient({brokers: [bootstrap], clientId: 'test'}, {logger: silentLogger})
    ground.env = {
      ...process.env,
      STREAMTOOL_BROKERS: bootstrap,
      STREAMTOOL_STATE_DIR: await newDirectory(),
    }
  })
  afterAll(async () => {
    await ground.kafka.close()
    await ground.broker.close()
  })
  return ground
}
