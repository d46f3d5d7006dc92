import {randomBytes} from 'node:crypto'
import {setImmediate as turn} from 'node:timers/promises'
import {describe, expect, it} from 'vitest'
import {createGroupConsumer} from '../../src/adapters/kafka/group/group-consumer.js'
import {createKafkaClient} from '../../src/adapters/kafka/index.js'
import {FrameMemory} from '../../src/adapters/kafka/transport/frame-memory.js'
import {deliver, SharedStore, silentLogger, StoreDestination} from '../support/delivery.js'
import {temporarySandbox} from '../support/sandbox/temporary.js'
import {recordsFor} from '../support/topic.js'

const MIB = 1024 * 1024

/** Leaves nothing of what is given back, rather than waiting for the next answer to do so. */
class OverwritingMemory extends FrameMemory {
  given = 0
  override give(part: Buffer): void {
    this.given++
    Buffer.from(part.buffer).fill(0xdb)
    super.give(part)
  }
}

describe('answers whose memory is used again', () => {
  it('put no byte into a file that was not in its records, however slow the destination and whatever the order', async () => {
    const sandbox = await temporarySandbox()
    const settings = {brokers: [sandbox.bootstrap], clientId: 'test'}
    const client = createKafkaClient(settings, {logger: silentLogger})
    await client.admin().createTopic('t', {partitions: 4})
    const contents = new Map<string, Buffer>()
    for (let n = 0; n < 6; n++) contents.set(`large${n}`, randomBytes(3 * MIB + n))
    for (let n = 0; n < 200; n++) contents.set(`small${n}`, randomBytes(1 + 40 * n))
    const records = [...contents]
      .flatMap(([path, content]) => recordsFor(path, content, {chunkBytes: 200_000}))
      .map((record) => ({record, at: Math.random()}))
      .sort((a, b) => a.at - b.at)
      .map(({record}) => record)
    const producer = client.producer()
    for (const [i, record] of records.entries())
      await producer.send({topic: 't', partition: i % 4, records: [record]})

    const frameMemory = new OverwritingMemory(16 * MIB)
    const tuning = {frameMemory, fetch: {answerBytes: 2 * MIB, partitionBytes: MIB}}
    const store = new SharedStore()
    const {report} = await deliver({
      kafka: {
        ...client,
        groupConsumer: (options) => createGroupConsumer(settings, options, silentLogger, tuning),
      },
      destination: new StoreDestination(store, () => turn()),
      options: {memoryBytes: 4 * MIB},
    })
    await client.close()
    expect(report.files).toMatchObject({delivered: contents.size, failed: 0, held: 0})
    for (const [path, content] of contents) expect(store.files.get(path)?.content.equals(content)).toBe(true)
    expect(frameMemory.given).toBeGreaterThan(3)
  })
})
