import {describe, expect, it} from 'vitest'
import {decodeLetter} from '../../../src/core/dead-letters/index.js'
import type {RecordProducer} from '../../../src/core/ports/index.js'
import type {ConsumedRecord} from '../../../src/core/record.js'
import {deferred} from '../../support/eventually.js'
import {recordsOf} from '../../support/chunks.js'
import {StoreDestination} from '../../support/delivery.js'
import {mismatching, recordsFor, text, TopicForTest, until} from '../../support/topic.js'

/** So large that chunks are hashed on another thread, and others have their turn meanwhile. */
const LARGE_BYTES = 64 * 1024

describe('reading goes on where it was told to', () => {
  it('a file is read again although a batch was being read when it turned out not to match', async () => {
    const topic = await TopicForTest.with()
    await topic.send(mismatching(recordsFor('bad', text(5))))
    const content = text(8 * LARGE_BYTES)
    await topic.send(recordsOf({path: 'large', content, chunkBytes: LARGE_BYTES}))
    const {report, exitCode} = await topic.run({options: {memoryBytes: 1 << 24}})
    expect(exitCode).toBe(5)
    expect(report.files).toMatchObject({delivered: 1, failed: 1})
    expect(topic.store.deliveries).toEqual(['large'])
  })
})

describe('a record that is no chunk', () => {
  it('is not forgotten when a rebalance begins before the dead-letter topic has it', async () => {
    const topic = await TopicForTest.with()
    const {kafka} = topic
    await kafka.admin().createTopic('dead', {partitions: 1})
    await topic.send([{key: null, value: [Buffer.from('hello')], headers: []}])
    const waiting = deferred()
    let sends = 0
    const producer: RecordProducer = {
      ...kafka.producer(),
      send: async (batch, signal) => {
        sends += 1
        if (sends > 1) return kafka.producer().send(batch, signal)
        waiting.resolve()
        return new Promise((_, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason as Error), {once: true}),
        )
      },
    }
    const member = topic.start({
      kafka: {...kafka, producer: () => producer},
      options: {deadLetterTopic: 'dead'},
    })
    await waiting.promise
    kafka.forceRebalance('g')
    await until(async () => expect(await topic.committed()).toEqual([1]))
    await member.stop()
    const letters: ConsumedRecord[] = []
    const [range] = await kafka.admin().partitionRanges('dead')
    await kafka.reader().read(range!, async (records) => void letters.push(...records))
    expect(letters.map((letter) => decodeLetter(letter))).toMatchObject([{origin: {offset: 0}}])
  })
})

describe('a destination that answers nothing while files are given up', () => {
  it('does not keep the group waiting: a rebalance once went on only when all was removed', async () => {
    const topic = await TopicForTest.with(2)
    const files = [0, 1].map((partition) => ({partition, records: recordsFor(`p${partition}`, text(30))}))
    for (const {partition, records} of files) await topic.send(records.slice(0, 1), {partition})
    const answered = deferred()
    const opened: string[] = []
    const silent = new StoreDestination(topic.store)
    const first = topic.start({
      destination: {
        recall: () => silent.recall(),
        close: () => silent.close(),
        open: async (file) => {
          opened.push(file.path)
          return {...(await silent.open(file)), discard: () => answered.promise}
        },
      },
    })
    await until(() => expect(opened).toHaveLength(2))
    const second = topic.start()
    await until(() => expect(topic.events('assignment')).toHaveLength(3))
    for (const {partition, records} of files) await topic.send(records.slice(1), {partition})
    await until(() => expect(topic.store.deliveries.sort()).toEqual(['p0', 'p1']))
    answered.resolve()
    await Promise.all([first.stop(), second.stop()])
  })
})
