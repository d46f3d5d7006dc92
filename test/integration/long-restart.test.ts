import {describe, expect, it} from 'vitest'
import {createMemoryKafka} from '../../src/adapters/memory/kafka/index.js'
import {createMemoryDestination} from '../../src/adapters/memory/memory-destination.js'
import type {PipelineEvent, Reporter} from '../../src/core/report.js'
import type {OutgoingRecord} from '../../src/core/record.js'
import {deliver} from '../support/delivery.js'
import {LONG_AGO_MS, recordsFor, text} from '../support/topic.js'

const FILES = 100_000
const FETCH_RECORDS = 500

describe('a restart after 100,000 small files, with one old file still incomplete', () => {
  it('reads one fetch again, delivers none of them again, and completes the old one', async () => {
    const kafka = createMemoryKafka({fetchRecords: FETCH_RECORDS})
    await kafka.admin().createTopic('t', {partitions: 1})
    const send = (records: readonly OutgoingRecord[]) =>
      kafka.producer().send({
        topic: 't',
        partition: 0,
        records: records.map((record) => ({...record, timestampMs: LONG_AGO_MS})),
      })
    const [head, tail] = recordsFor('old', text(20))
    await send([head!])
    for (let n = 0; n < FILES; n += 1000)
      await send(Array.from({length: 1000}, (_, i) => recordsFor(`f${n + i}`, text(3))[0]!))

    let delivered: string[] = []
    const reporter: Reporter = {
      event: (event: PipelineEvent) => {
        if (event.event === 'file.delivered') delivered.push(event.path)
      },
      watch: () => undefined,
    }
    // The destination is a new one each time: it knows nothing of what was delivered before.
    const run = async () => {
      delivered = []
      const {report} = await deliver({
        kafka,
        destination: createMemoryDestination({keepContent: false}),
        reporter,
        options: {commitFiles: 1000, memoryBytes: 1 << 24, concurrency: 64},
      })
      return report
    }
    const first = await run()
    expect(first.files).toMatchObject({delivered: FILES, incomplete: 1})
    const [commit] = await kafka.admin().committedOffsets('g', 't')
    expect(commit!.offset).toBe(0)
    expect(commit!.metadata.length).toBeLessThan(200)

    const second = await run()
    expect(second.files).toMatchObject({delivered: 0, incomplete: 1})
    expect(second.records).toBeLessThanOrEqual(FETCH_RECORDS)

    await send([tail!])
    const third = await run()
    expect(delivered).toEqual(['old'])
    expect(third.records).toBeLessThanOrEqual(FETCH_RECORDS + 1)
    expect((await run()).records).toBe(0)
  })
})
