/**
 * A member of a group as a process of its own, to be killed: `group-member.ts BOOTSTRAP TOPIC GROUP INSTANCE`. Tells
 * what happens to it as a JSON object a line, and commits what it reads at once.
 */
import {createKafkaClient} from '../../src/adapters/kafka/index.js'
import {silentLogger} from './delivery.js'

export type MemberNews =
  | {event: 'assigned'; generation: number; partitions: number[]; committed: (number | null)[]}
  | {event: 'read'; partition: number; offsets: number[]}
  | {event: 'revoked'; reason: string}

const [bootstrap = '', topic = '', groupId = '', instanceId = ''] = process.argv.slice(2)
const tell = (news: MemberNews) => process.stdout.write(`${JSON.stringify(news)}\n`)

const client = createKafkaClient({brokers: [bootstrap], clientId: 'group-member'}, {logger: silentLogger})
const consumer = client.groupConsumer({
  topics: [topic],
  groupId,
  instanceId,
  leaveOnStop: false,
  heartbeatMs: 200,
  sessionTimeoutMs: 45_000,
})
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())

await consumer.run(
  {
    assigned: async ({generation}, partitions) => {
      tell({
        event: 'assigned',
        generation,
        partitions: partitions.map(({partition}) => partition),
        committed: partitions.map(({committed}) => committed?.offset ?? null),
      })
      return partitions.map((assigned) => ({
        topic,
        partition: assigned.partition,
        offset: assigned.committed?.offset ?? assigned.start,
      }))
    },
    records: async ({epoch, partition, records, nextOffset}) => {
      await epoch.commit([{topic, partition, offset: nextOffset, metadata: ''}])
      tell({event: 'read', partition, offsets: records.map(({offset}) => offset)})
    },
    revoked: async (_epoch, _partitions, reason) => void tell({event: 'revoked', reason}),
    outOfRange: async (_epoch, {start}) => start,
  },
  stop.signal,
)
await client.close()
