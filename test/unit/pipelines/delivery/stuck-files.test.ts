import {describe, expect, it} from 'vitest'
import {createMemoryKafka} from '../../../../src/adapters/memory/kafka/index.js'
import {createMemoryDestination} from '../../../../src/adapters/memory/memory-destination.js'
import {PartitionLedger} from '../../../../src/core/offsets/index.js'
import type {Destination, OutgoingRecord, RecordProducer} from '../../../../src/core/ports/index.js'
import {type Conclusion, Reassembly} from '../../../../src/core/reassembly/index.js'
import {DeadLetters} from '../../../../src/pipelines/delivery/dead-letters.js'
import {LateCopies} from '../../../../src/pipelines/delivery/late-copies.js'
import {Notices} from '../../../../src/pipelines/delivery/notices.js'
import {PartitionTable} from '../../../../src/pipelines/delivery/partition-table.js'
import {StuckFiles} from '../../../../src/pipelines/delivery/stuck-files.js'
import {read} from '../../../support/assemblies.js'
import {memorySpill, realClock, RecordingReporter, silentLogger} from '../../../support/delivery.js'
import {recordsFor, text} from '../../../support/topic.js'

const NEVER = new AbortController().signal
const steps = {reached: () => undefined}

interface Scene {
  readonly parkAfterMs?: number | null
  readonly recall?: Destination['recall']
  readonly send?: RecordProducer['send']
  readonly readPosition?: number
  readonly nowMs?: number
}

/** One partition of which everything is read, and a file that lacks its first chunk. */
async function setUp({parkAfterMs = 1000, recall, send, readPosition = 10, nowMs = 2e12}: Scene = {}) {
  const kafka = createMemoryKafka()
  await kafka.admin().createTopic('t', {partitions: 1})
  const reporter = new RecordingReporter()
  const concluded: Conclusion[] = []
  const destination = {...createMemoryDestination(), ...(recall && {recall})}
  const reassembly = new Reassembly({
    topic: 't',
    destination,
    spill: memorySpill(),
    steps,
    memoryBytes: 1 << 20,
    concurrency: 1,
    generations: 'newest',
    onConcluded: (each) => concluded.push(each),
    onReread: () => undefined,
    onRunEnded: () => undefined,
  })
  const partitions = new PartitionTable()
  partitions.set(0, {ledger: new PartitionLedger(0), readPosition, endOffset: 10})
  const clock = {...realClock, nowMs: () => nowMs}
  const sent: OutgoingRecord[] = []
  const producer: RecordProducer = {
    send: async (batch, signal) => {
      await send?.(batch, signal)
      sent.push(...batch.records)
      return {baseOffset: 0}
    },
    close: () => Promise.resolve(),
  }
  const lateCopies = new LateCopies({
    topic: 't',
    destination,
    reader: kafka.reader(),
    admin: kafka.admin(),
    isDone: () => false,
  })
  const stuckFiles = new StuckFiles({
    reassembly,
    partitions,
    lateCopies,
    deadLetters: new DeadLetters({topic: 'dead', partitionCount: 1, group: 'g', producer, steps}),
    parkAfterMs,
    parksHeld: false,
    notices: new Notices(silentLogger, reporter),
    clock,
    logger: silentLogger,
  })
  const accept = (records: readonly OutgoingRecord[], firstOffset: number) => {
    for (const [i, record] of records.entries()) {
      const {decoded, record: consumed} = read(record, firstOffset + i)
      reassembly.accept(decoded, consumed, nowMs)
    }
  }
  const records = recordsFor('p', text(30))
  accept(records.slice(1), 0)
  const outcomes = () => concluded.map(({outcome}) => outcome)
  return {reassembly, stuckFiles, sent, outcomes, records, accept, reporter}
}

describe('a file that is idle for long', () => {
  it('is parked, and its letter is sent before it is concluded', async () => {
    const {stuckFiles, sent, outcomes} = await setUp()
    await stuckFiles.review(NEVER)
    expect(sent).toHaveLength(1)
    expect(outcomes()).toEqual(['parked'])
  })

  it('is left alone while there is something to be read', async () => {
    const {stuckFiles, sent} = await setUp({readPosition: 9})
    await stuckFiles.review(NEVER)
    expect(sent).toEqual([])
  })

  it('is left alone until it is idle for long enough, and for ever when the user does not want it parked', async () => {
    for (const scene of [{nowMs: 1_700_000_000_500}, {parkAfterMs: null}]) {
      const {stuckFiles, sent} = await setUp(scene)
      await stuckFiles.review(NEVER)
      expect(sent).toEqual([])
    }
  })

  it('is not parked when it is over', async () => {
    const {stuckFiles, sent, outcomes} = await setUp({recall: () => Promise.resolve('same')})
    await stuckFiles.review(NEVER)
    expect(sent).toEqual([])
    expect(outcomes()).toEqual(['stray'])
  })

  it('stays open when a chunk of it comes while its letter is sent', async () => {
    let comes: () => void = () => undefined
    const scene = await setUp({
      send: () => {
        comes()
        return Promise.resolve({baseOffset: 0})
      },
    })
    comes = () => scene.accept(scene.records.slice(1, 2), 7)
    await scene.stuckFiles.review(NEVER)
    expect(scene.outcomes()).toEqual([])
    expect(scene.reassembly.openFiles()).toHaveLength(1)
  })

  it('stays open when the dead-letter topic refuses it, which is said once', async () => {
    const {stuckFiles, outcomes, reporter} = await setUp({send: () => Promise.reject(new Error('full'))})
    await stuckFiles.review(NEVER)
    await stuckFiles.review(NEVER)
    expect(outcomes()).toEqual([])
    expect(reporter.events).toMatchObject([{event: 'warning', code: 'DEAD_LETTER_FAILED'}])
  })

  it('is asked about once: whether it is over does not change', async () => {
    let asked = 0
    const {stuckFiles} = await setUp({
      parkAfterMs: null,
      recall: () => {
        asked += 1
        return Promise.resolve('nothing')
      },
    })
    for (let i = 0; i < 3; i++) await stuckFiles.review(NEVER)
    expect(asked).toBe(1)
  })

  it('is asked about again when nobody could say', async () => {
    let asked = 0
    const {stuckFiles, outcomes} = await setUp({
      parkAfterMs: null,
      recall: () => {
        asked += 1
        return asked === 1 ? Promise.reject(new Error('away')) : Promise.resolve('newer')
      },
    })
    await stuckFiles.review(NEVER)
    await stuckFiles.review(NEVER)
    expect(outcomes()).toEqual(['superseded'])
  })
})
