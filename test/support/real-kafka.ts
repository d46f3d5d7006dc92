/** Apache Kafka for tests: one broker, or two. */
import {randomBytes} from 'node:crypto'
import {Kafka, logLevel, type Admin} from 'kafkajs'
import {eventually} from './eventually.js'
import {createKafkaNode, freePorts, type KafkaNode, QUICK_START} from './kafka/node.js'

/** As server.properties has it. */
export const SHORTEST_SESSION_MS = 1000

/** An Apache Kafka broker of our own: its process, its data, its port. */
export interface RealKafka {
  readonly bootstrap: string
  /** Stops gracefully and starts again on the same data and port. */
  restart(): Promise<void>
  /** kill -9; the data stay for `start`. */
  killHard(): Promise<void>
  start(): Promise<void>
  /** Stops and deletes the data. */
  close(): Promise<void>
}

/** @throws by name what is missing: Java, Maven, or the jars */
export async function startRealKafka({
  javaOptions = QUICK_START,
}: {javaOptions?: readonly string[]} = {}): Promise<RealKafka> {
  const [port, controllerPort] = (await freePorts(2)) as [number, number]
  const node = await createKafkaNode({
    clusterId: newClusterId(),
    javaOptions,
    port,
    properties: [
      `listeners = PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      `controller.quorum.voters = 1@127.0.0.1:${controllerPort}`,
    ],
  })
  await startOrClose(node)
  return {
    bootstrap: node.bootstrap,
    start: node.start,
    restart: async () => {
      await node.stop('SIGTERM')
      await node.start()
    },
    killHard: () => node.stop('SIGKILL'),
    close: node.close,
  }
}

/** Two brokers, 1 and 2; the first is the controller too, so only the second one may die. */
export interface RealKafkaPair {
  readonly bootstrap: string
  /** Each partition on these brokers, its leader first. */
  createTopic(topic: string, partitions: readonly (readonly number[])[]): Promise<void>
  /** Puts every partition on these brokers; resolves when the first of them leads all. */
  moveTopic(topic: string, replicas: readonly number[]): Promise<void>
  /** The broker that leads each partition. */
  leaders(topic: string): Promise<number[]>
  killSecond(): Promise<void>
  startSecond(): Promise<void>
  close(): Promise<void>
}

export async function startRealKafkaPair(): Promise<RealKafkaPair> {
  const [port, controllerPort, secondPort] = (await freePorts(3)) as [number, number, number]
  const common = [
    `controller.quorum.voters = 1@127.0.0.1:${controllerPort}`,
    'offsets.topic.replication.factor = 2',
    // The one whose turn it is to lead comes back to it soon.
    'leader.imbalance.check.interval.seconds = 1',
    'leader.imbalance.per.broker.percentage = 0',
  ]
  const options = {clusterId: newClusterId(), javaOptions: QUICK_START}
  const listenFirst = `listeners = PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`
  const first = await createKafkaNode({...options, port, properties: [...common, listenFirst]})
  await startOrClose(first)
  const second = await createKafkaNode({
    ...options,
    port: secondPort,
    properties: [
      ...common,
      'process.roles = broker',
      'node.id = 2',
      `listeners = PLAINTEXT://127.0.0.1:${secondPort}`,
    ],
  })
  await startOrClose(second, first)

  const kafka = new Kafka({brokers: [first.bootstrap], logLevel: logLevel.NOTHING, retry: {retries: 20}})
  const admin = kafka.admin()
  await admin.connect()
  await eventually('both brokers are there', async () => (await admin.describeCluster()).brokers.length === 2)
  return {
    bootstrap: first.bootstrap,
    async createTopic(topic, partitions) {
      const replicaAssignment = partitions.map((replicas, partition) => ({
        partition,
        replicas: [...replicas],
      }))
      await admin.createTopics({topics: [{topic, replicaAssignment}], waitForLeaders: true})
    },
    async moveTopic(topic, replicas) {
      const partitionCount = (await leadersOf(admin, topic)).length
      const partitionAssignment = Array.from({length: partitionCount}, (_, partition) => ({
        partition,
        replicas: [...replicas],
      }))
      await admin.alterPartitionReassignments({topics: [{topic, partitionAssignment}]})
      const isThere = async () => (await leadersOf(admin, topic)).every((leader) => leader === replicas[0])
      await eventually(`broker ${replicas[0] ?? '-'} leads ${topic}`, isThere, 60_000, 50)
    },
    leaders: (topic) => leadersOf(admin, topic),
    killSecond: () => second.stop('SIGKILL'),
    startSecond: second.start,
    close: async () => {
      await admin.disconnect()
      await second.close()
      await first.close()
    },
  }
}

async function leadersOf(admin: Admin, topic: string): Promise<number[]> {
  const {topics} = await admin.fetchTopicMetadata({topics: [topic]})
  return topics.flatMap(({partitions}) => partitions.map(({leader}) => leader))
}

/** @param others started before, to be closed with it */
async function startOrClose(node: KafkaNode, ...others: readonly KafkaNode[]): Promise<void> {
  try {
    await node.start()
  } catch (error) {
    for (const each of [node, ...others]) await each.close()
    throw error
  }
}

function newClusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A')
}
