import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {MemoryKafka} from '../../src/adapters/memory/kafka/index.js'
import type {OutgoingRecord} from '../../src/core/record.js'
import {recordsOf} from '../support/chunks.js'
import {deliver, kafkaWith, RecordingReporter, SharedStore, StoreDestination} from '../support/delivery.js'

/**
 * The laws of a delivery, under any order of arrival, any duplication, any loss, any interleaving of uploads, and
 * a crash or rebalance at any point:
 *
 * - what is visible under a path is always one complete, verified generation (the store checks every finish);
 * - in the end every path with a complete generation has one, and it is the newest complete one;
 * - what is reported incomplete is exactly what lacks chunks and was not superseded;
 * - a further run delivers nothing.
 *
 * When the chunks of a file are spread over partitions, which are read one after another, how old a generation is
 * may be known only after another was delivered. Then it need not be the newest, and a superseded one may be told
 * as incomplete; still none is lost without a word.
 */

const uploadPlan = fc.record({
  path: fc.constantFrom('a', 'b', 'd/c', 'd/e/f'),
  chunks: fc.integer({min: 1, max: 6}),
  withId: fc.boolean(),
  /** Chunks that never reach the topic. */
  lost: fc.array(fc.integer({min: 1, max: 6}), {maxLength: 1}),
  duplicated: fc.array(fc.integer({min: 1, max: 6}), {maxLength: 3}),
})
const scenario = fc.record({
  partitions: fc.integer({min: 1, max: 3}),
  uploads: fc.array(uploadPlan, {minLength: 1, maxLength: 8}),
  /** Sorting keys that shuffle the records; a small range keeps neighbours together. */
  shuffle: fc.array(fc.nat(1000), {minLength: 80, maxLength: 80}),
  spread: fc.boolean(),
  disturbances: fc.array(
    fc.record({atStep: fc.integer({min: 1, max: 25}), kind: fc.constantFrom('kill', 'rebalance')}),
    {
      maxLength: 3,
    },
  ),
  memoryBytes: fc.constantFrom(64, 1 << 20),
})

interface Sent {
  readonly path: string
  readonly content: string
  readonly complete: boolean
  /** Of its earliest record; send order is time order here. */
  readonly firstSent: number
}

/** The producer's side: everything is on the topic before anything is read. */
async function produce(
  kafka: MemoryKafka,
  {partitions, uploads, shuffle, spread}: Scenario,
): Promise<Sent[]> {
  const records = uploads.flatMap((upload, n) => {
    // Contents differ between uploads, so that a generation without an id is one upload.
    const content = Buffer.from(`${n}:`.padEnd(upload.chunks * 10, String.fromCharCode(97 + n)))
    const uploadId = upload.withId ? `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` : null
    const all = recordsOf({path: upload.path, content, chunkBytes: 10, uploadId})
    const kept = all
      .map((record, i) => ({n, record, chunk: i + 1}))
      .filter(({chunk}) => !upload.lost.includes(chunk))
    // Without an id, a copy that comes after another generation began is that content uploaded again (A, B, A).
    const isOnly = uploads.every(({path}, other) => other === n || path !== upload.path)
    const again = kept.filter(({chunk}) => (upload.withId || isOnly) && upload.duplicated.includes(chunk))
    return [...kept, ...again]
  })
  const key = (i: number) => shuffle[i % shuffle.length]!
  const ordered = records.map((record, i) => ({...record, key: key(i)})).sort((a, b) => a.key - b.key)

  const producer = kafka.producer()
  const firstSent = new Map<number, number>()
  for (const [i, {n, record}] of ordered.entries()) {
    if (!firstSent.has(n)) firstSent.set(n, i)
    const partition = spread ? i % partitions : pathNumber(uploads[n]!.path) % partitions
    await producer.send({
      topic: 't',
      partition,
      records: [{...record, timestampMs: 1_000_000 + i} satisfies OutgoingRecord],
    })
  }
  return uploads.map((upload, n) => ({
    path: upload.path,
    content: `${n}:`.padEnd(upload.chunks * 10, String.fromCharCode(97 + n)),
    complete: !upload.lost.some((chunk) => chunk <= upload.chunks),
    firstSent: firstSent.get(n) ?? Infinity,
  }))
}

type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never
const pathNumber = (path: string) => path.charCodeAt(path.length - 1)

/** Runs until a run ends by itself; before that every disturbance has its turn. */
async function deliverThrough(kafka: MemoryKafka, store: SharedStore, {disturbances, memoryBytes}: Scenario) {
  const zombies: AbortController[] = []
  const never = new Promise(() => undefined)
  for (const {atStep, kind} of [...disturbances, {atStep: Infinity, kind: 'none'}]) {
    const reporter = new RecordingReporter()
    const destination = new StoreDestination(store)
    const zombie = new AbortController()
    zombies.push(zombie)
    const killed = new Promise<'killed'>((resolve) => {
      destination.onStep = (step) => {
        if (step !== atStep) return
        if (kind === 'rebalance') kafka.forceRebalance('g')
        if (kind === 'kill') {
          destination.killed = true
          resolve('killed')
        }
      }
    })
    const run = deliver({kafka, destination, reporter, signal: zombie.signal, options: {memoryBytes}})
    const ended = await Promise.race([run, killed])
    if (ended === 'killed') {
      run.catch(() => undefined)
      for (const {memberId} of await kafka.admin().groupMembers('g')) {
        kafka.expireMember('g', memberId, {noticedAfter: never})
      }
    } else if (kind === 'none') {
      for (const each of zombies) each.abort()
      return ended.report
    }
  }
  throw new Error('unreachable')
}

describe('a delivery', () => {
  it('keeps its laws under any arrival, any crash and any rebalance', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (plan) => {
        const kafka = await kafkaWith(plan.partitions)
        const sent = await produce(kafka, plan)
        const store = new SharedStore()
        const report = await deliverThrough(kafka, store, plan)

        for (const path of new Set(sent.map((upload) => upload.path))) {
          const generations = sent.filter((upload) => upload.path === path && upload.firstSent < Infinity)
          const complete = generations.filter((upload) => upload.complete)
          const newest = complete.sort((a, b) => b.firstSent - a.firstSent)[0]
          const visible = store.content(path)
          if (plan.spread) expect([undefined, ...complete.map(({content}) => content)]).toContain(visible)
          else expect(visible, path).toBe(newest?.content)
          expect(visible === undefined, `${path} is missing`).toBe(newest === undefined)

          const stillOpen = generations.filter(
            (upload) => !upload.complete && upload.firstSent > (newest?.firstSent ?? -1),
          )
          const told = report.problems.some((problem) => problem.path === path)
          if (!plan.spread) expect(told, `${path} is told to be incomplete`).toBe(stillOpen.length > 0)
          else if (complete.length === 0)
            expect(told, `${path} is told to be incomplete`).toBe(generations.length > 0)
        }
        expect(report).toMatchObject({poison: 0, files: {failed: 0, held: 0}})

        const before = store.deliveries.length
        const again = await deliver({kafka, destination: new StoreDestination(store)})
        expect(store.deliveries.length, 'delivered again by a further run').toBe(before)
        expect(again.report.files.incomplete).toBe(report.files.incomplete)
      }),
      {numRuns: 200, endOnFailure: false},
    )
  })
})
