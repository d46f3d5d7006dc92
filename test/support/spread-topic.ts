/** A topic as OpenMSIStream fills it: no headers, and the chunks of each file in all partitions. */
import {createKafkaClient} from '../../src/adapters/kafka/index.js'
import {chunksOf, type FileForTest, recordsOf} from './chunks.js'
import {silentLogger} from './delivery.js'

export class SpreadTopic {
  private readonly client
  private readonly producer

  private constructor(
    readonly topic: string,
    readonly partitions: number,
    bootstrap: string,
  ) {
    this.client = createKafkaClient({brokers: [bootstrap], clientId: 'spread'}, {logger: silentLogger})
    this.producer = this.client.producer()
  }

  static async create(bootstrap: string, topic: string, partitions: number): Promise<SpreadTopic> {
    const spread = new SpreadTopic(topic, partitions, bootstrap)
    await spread.client.admin().createTopic(topic, {partitions})
    return spread
  }

  /** Chunks `from <= index < to`, numbered from 0, of every file. */
  async send(files: readonly FileForTest[], from = 0, to = Infinity): Promise<void> {
    for (const file of files) {
      const records = recordsOf(file).map((record) => ({...record, headers: []}))
      for (let index = from; index < Math.min(to, chunksOf(file).length); index++) {
        const partition = index % this.partitions
        await this.producer.send({topic: this.topic, partition, records: [records[index]!]})
      }
    }
  }

  admin() {
    return this.client.admin()
  }

  async close(): Promise<void> {
    await this.client.close()
  }
}
