import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {decodeChunk, newUploadId} from '../../src/core/chunk/index.js'
import type {ConsumedRecord} from '../../src/core/record.js'
import {Reassembly} from '../../src/core/reassembly/index.js'
import {memorySpill, SharedStore} from '../support/delivery.js'
import {FaultyDestination, pacedBy} from '../support/faulty-destination.js'
import {joined} from '../support/chunks.js'
import {LONG_AGO_MS, mismatching, recordsFor} from '../support/topic.js'

/**
 * Every way out gives back what was taken (Pulsar's permits leaked and consumption stopped, apache/pulsar#26675 and
 * #26688): however files end, be it delivered, superseded, held, mismatching, parked, lost with their partition or
 * thrown away in the middle, nothing stays counted.
 */

const filePlan = fc.record({
  path: fc.constantFrom('a', 'b', 'c', 'd'),
  chunks: fc.integer({min: 1, max: 6}),
  partition: fc.nat(1),
  withId: fc.boolean(),
  isMismatching: fc.boolean(),
})
const action = fc.oneof(
  {weight: 20, arbitrary: fc.constant({do: 'accept'} as const)},
  {weight: 4, arbitrary: fc.constant({do: 'absorb'} as const)},
  {weight: 2, arbitrary: fc.record({do: fc.constant('turns' as const), turns: fc.integer({min: 1, max: 8})})},
  {weight: 1, arbitrary: fc.record({do: fc.constant('close' as const), which: fc.nat(10)})},
  {weight: 1, arbitrary: fc.record({do: fc.constant('discard' as const), partition: fc.nat(1)})},
)
const plan = fc.record({
  files: fc.array(filePlan, {minLength: 1, maxLength: 12}),
  shuffle: fc.array(fc.nat(1000), {minLength: 50, maxLength: 50}),
  actions: fc.array(action, {minLength: 20, maxLength: 120}),
  paces: fc.array(fc.nat(3), {minLength: 1, maxLength: 9}),
  faults: fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'd'),
    fc.record({
      at: fc.constantFrom('open' as const, 'write' as const, 'finish' as const),
      code: fc.constantFrom('FILE_NAME_CONFLICT' as const, 'STORAGE_FULL' as const),
      times: fc.integer({min: 1, max: 5}),
    }),
  ),
  memoryBytes: fc.constantFrom(1, 90, 1 << 20),
  concurrency: fc.integer({min: 1, max: 3}),
  generations: fc.constantFrom('newest' as const, 'all' as const),
})
type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never

function consumed({files, shuffle}: Plan): ConsumedRecord[] {
  const offsets = [0, 0]
  return files
    .flatMap((file, n) => {
      const content = Buffer.from(`${n}`.padEnd(file.chunks * 10, '.'))
      const records = recordsFor(file.path, content, {
        uploadId: file.withId ? newUploadId(LONG_AGO_MS) : null,
      })
      const sent = file.isMismatching ? mismatching(records) : records
      return sent.map((record) => ({partition: file.partition, record}))
    })
    .map((each, i) => ({...each, key: shuffle[i % shuffle.length]!}))
    .sort((a, b) => a.key - b.key)
    .map(({partition, record: {headers, value}}) => ({
      topic: 't',
      partition,
      offset: offsets[partition]!++,
      timestampMs: LONG_AGO_MS,
      key: null,
      headers,
      value: joined(value),
    }))
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('back-pressure counters', () => {
  it('return to zero after every way in which a file can end', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (scenario) => {
        const faults = new Map(Object.entries(scenario.faults).map(([path, fault]) => [path, {...fault}]))
        const destination = new FaultyDestination(new SharedStore(), faults, pacedBy(scenario.paces))
        const spill = memorySpill()
        const reassembly = new Reassembly({
          ...scenario,
          topic: 't',
          destination,
          spill,
          steps: {reached: () => undefined},
          onConcluded: () => undefined,
          onReread: () => undefined,
          onRunEnded: () => undefined,
        })
        const records = consumed(scenario)
        const accept = (record: ConsumedRecord | undefined) => {
          const decoded = record && decodeChunk(record)
          if (record && decoded && !('poison' in decoded)) reassembly.accept(decoded, record, LONG_AGO_MS)
        }
        for (const step of scenario.actions) {
          if (step.do === 'accept') accept(records.shift())
          else if (step.do === 'absorb') await reassembly.absorbed()
          else if (step.do === 'turns') for (let i = 0; i < step.turns; i++) await turn()
          else if (step.do === 'discard')
            await reassembly.discardPartitions(new Set([step.partition])).removed
          else {
            const open = reassembly.openFiles().at(step.which)
            if (open) reassembly.closeOpen(open, open.recordCount, 'parked')
          }
        }
        await reassembly.absorbed()
        await reassembly.drained()
        expect(reassembly.inUse).toMatchObject({backlogFiles: 0, backlogBytes: 0})
        await reassembly.discardAll()
        for (let i = 0; i < 20; i++) await turn()
        expect(reassembly.openCount).toBe(0)
        expect(reassembly.inUse).toEqual({
          backlogFiles: 0,
          backlogBytes: 0,
          finishing: 0,
          pathsInTurn: 0,
          reorderBytes: 0,
        })
        expect({writers: destination.openWriters, spillFiles: spill.open}).toEqual({
          writers: 0,
          spillFiles: 0,
        })
      }),
      {numRuns: 300, endOnFailure: false},
    )
  })
})
