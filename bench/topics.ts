import {type Admin, Kafka, logLevel} from 'kafkajs'

export const PARTITIONS = 4

export interface Topics {
  /** A new topic of four partitions. */
  create(): Promise<string>
  /** How many records it was given. */
  count(topic: string): Promise<number>
  remove(topic: string): Promise<void>
  close(): Promise<void>
}

export async function openTopics(bootstrap: string): Promise<Topics> {
  const admin: Admin = new Kafka({brokers: [bootstrap], logLevel: logLevel.NOTHING}).admin()
  await admin.connect()
  let made = 0
  return {
    async create() {
      const topic = `bench-${++made}`
      await admin.createTopics({topics: [{topic, numPartitions: PARTITIONS}], waitForLeaders: true})
      return topic
    },
    async count(topic) {
      const partitions = await admin.fetchTopicOffsets(topic)
      return partitions.reduce((sum, {high}) => sum + Number(high), 0)
    },
    remove: (topic) => admin.deleteTopics({topics: [topic]}),
    close: () => admin.disconnect(),
  }
}
