// Passes on what a topic has at the start, batch by batch: acknowledged by all replicas, then committed.
import {Kafka, logLevel} from 'kafkajs'

const [bootstrap, input, output] = process.argv.slice(2)
const kafka = new Kafka({brokers: [bootstrap], logLevel: logLevel.ERROR})
const [admin, producer, consumer] = [
  kafka.admin(),
  kafka.producer(),
  kafka.consumer({groupId: `relay-${output}`}),
]
await Promise.all([admin.connect(), producer.connect(), consumer.connect()])
const offsets = await admin.fetchTopicOffsets(input)
const open = new Map(
  offsets.filter(({high}) => high !== '0').map(({partition, high}) => [partition, BigInt(high)]),
)

await consumer.subscribe({topics: [input], fromBeginning: true})
await new Promise((resolve, reject) => {
  consumer.on(consumer.events.CRASH, ({payload}) => reject(payload.error))
  const eachBatch = async ({batch, resolveOffset, commitOffsetsIfNecessary}) => {
    const {partition, messages} = batch
    await producer.send({
      topic: output,
      acks: -1,
      messages: messages.map(({key, value, headers, timestamp}) => ({
        key,
        value,
        headers,
        timestamp,
        partition,
      })),
    })
    resolveOffset(batch.lastOffset())
    await commitOffsetsIfNecessary()
    if (BigInt(batch.lastOffset()) + 1n >= open.get(partition)) open.delete(partition)
    if (open.size === 0) resolve()
  }
  const partitionsConsumedConcurrently = offsets.length
  consumer.run({autoCommitThreshold: 1, partitionsConsumedConcurrently, eachBatch}).catch(reject)
})
await consumer.disconnect()
await Promise.all([producer.disconnect(), admin.disconnect()])
