import {type Admin, Kafka, logLevel} from 'kafkajs'
import {eventually} from '../test/support/eventually.js'

export const PARTITIONS = 4
/** Records sent at once. */
const BATCH = 500

export interface Topics {
  /** A new topic of four partitions. */
  create(): Promise<string>
  /** How many records it was given. */
  count(topic: string): Promise<number>
  /** One batch after another, of one partition after another. */
  fill(topic: string, values: Iterable<Buffer>): Promise<void>
  remove(topic: string): Promise<void>
  close(): Promise<void>
}

export async function openTopics(bootstrap: string): Promise<Topics> {
  const kafka = new Kafka({brokers: [bootstrap], logLevel: logLevel.NOTHING})
  const admin: Admin = kafka.admin()
  await admin.connect()
  let made = 0
  return {
    async create() {
      const topic = `bench-${++made}`
      // Its own wait for leaders fails when the broker is slow to hear of the topic.
      await admin.createTopics({topics: [{topic, numPartitions: PARTITIONS}], waitForLeaders: false})
      await eventually(`${topic} has leaders`, () => hasLeaders(admin, topic))
      return topic
    },
    async count(topic) {
      const partitions = await admin.fetchTopicOffsets(topic)
      return partitions.reduce((sum, {high}) => sum + Number(high), 0)
    },
    async fill(topic, values) {
      const producer = kafka.producer()
      await producer.connect()
      let messages: {value: Buffer; partition: number}[] = []
      let sent = 0
      const send = async () => {
        if (messages.length > 0) await producer.send({topic, messages, acks: -1})
        sent += 1
        messages = []
      }
      for (const value of values) {
        messages.push({value, partition: sent % PARTITIONS})
        if (messages.length === BATCH) await send()
      }
      await send()
      await producer.disconnect()
    },
    remove: (topic) => admin.deleteTopics({topics: [topic]}),
    close: () => admin.disconnect(),
  }
}

async function hasLeaders(admin: Admin, topic: string): Promise<boolean> {
  try {
    const {topics} = await admin.fetchTopicMetadata({topics: [topic]})
    const partitions = topics[0]?.partitions ?? []
    return partitions.length === PARTITIONS && partitions.every(({leader}) => leader >= 0)
  } catch {
    return false
  }
}
