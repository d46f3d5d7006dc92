import {connect} from 'node:net'
import {once} from 'node:events'
import {Kafka, logLevel, type Admin} from 'kafkajs'
import type {TopicPartition} from '../../src/core/ports/index.js'

/** Makes a topic without the adapter under test. */
export async function createTopic(bootstrap: string, topic: string, partitions: number): Promise<void> {
  const admin = new Kafka({brokers: [bootstrap], logLevel: logLevel.NOTHING}).admin()
  try {
    await admin.connect()
    await admin.createTopics({topics: [{topic, numPartitions: partitions}], waitForLeaders: true})
  } finally {
    await admin.disconnect()
  }
}

/** What an operator, or fate, does to a broker; by other ways than the adapter under test. */
export function kafkaLevers(bootstrap: string) {
  const kafka = new Kafka({brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: {retries: 8}})
  const asAdmin = async (action: (admin: Admin) => Promise<unknown>): Promise<void> => {
    const admin = kafka.admin()
    try {
      await admin.connect()
      await action(admin)
    } finally {
      await admin.disconnect()
    }
  }
  return {
    addPartitions: (topic: string, count: number) =>
      asAdmin((admin) => admin.createPartitions({topicPartitions: [{topic, count}]})),

    trimLog: ({topic, partition}: TopicPartition, offset: number) =>
      asAdmin(async (admin) => {
        // Without the topic's metadata loaded, the deletion fails.
        await admin.fetchTopicOffsets(topic)
        await admin.deleteTopicRecords({topic, partitions: [{partition, offset: String(offset)}]})
      }),

    appendAborted: async ({topic, partition}: TopicPartition, count: number): Promise<void> => {
      const producer = kafka.producer({transactionalId: `aborts-${topic}`, maxInFlightRequests: 1})
      try {
        await producer.connect()
        const transaction = await producer.transaction()
        const messages = Array.from({length: count}, () => ({partition, value: 'aborted'}))
        await transaction.send({topic, messages})
        await transaction.abort()
      } finally {
        await producer.disconnect()
      }
    },

    expireMember: (groupId: string, memberId: string) => leaveGroup(bootstrap, groupId, memberId),
  }
}

const LEAVE_GROUP = 13

/**
 * Says goodbye in a member's name, which ends its session as its time-out does. One broker coordinates all
 * groups, so any connection will do.
 *
 *     size:int32 apiKey:int16 apiVersion:int16 correlationId:int32 clientId:string groupId:string memberId:string
 *     size:int32 correlationId:int32 errorCode:int16
 */
async function leaveGroup(bootstrap: string, groupId: string, memberId: string): Promise<void> {
  const [host = '', port] = bootstrap.split(':')
  const socket = connect(Number(port), host)
  try {
    await once(socket, 'connect')
    const header = Buffer.from([0, LEAVE_GROUP, 0, 0, 0, 0, 0, 1])
    const body = Buffer.concat([header, ...['levers', groupId, memberId].map(lengthPrefixed)])
    const size = Buffer.alloc(4)
    size.writeInt32BE(body.length)
    socket.write(Buffer.concat([size, body]))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    const errorCode = answer.readInt16BE(8)
    if (errorCode !== 0) throw new Error(`the broker refused to let ${memberId} leave: error ${errorCode}`)
  } finally {
    socket.destroy()
  }
}

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(2)
  length.writeInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
