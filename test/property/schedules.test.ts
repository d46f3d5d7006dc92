import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {createMemoryKafka, type MemoryKafka} from '../../src/adapters/memory/kafka/index.js'
import {newUploadId} from '../../src/core/chunk/index.js'
import type {OutgoingRecord} from '../../src/core/record.js'
import {deliver, memorySpill, RecordingReporter, SharedStore} from '../support/delivery.js'
import {FaultyDestination, pacedBy, type PlannedFault} from '../support/faulty-destination.js'
import {LONG_AGO_MS as SENT_MS, mismatching, recordsFor} from '../support/topic.js'

/**
 * Whatever the schedule (in which order and how slowly records arrive, destinations work, fail and recover, members
 * come, are stopped, die and regroup) and however little memory there is:
 *
 * - every run ends that should: nothing waits for what will not come
 * - what a run has taken it gives back: writers, spill files
 * - no incomplete, held or wrong file keeps another one back, in its partition or in others
 * - once the faults are over, everything that is complete is there
 */

const filePlan = fc.record({
  chunks: fc.integer({min: 1, max: 7}),
  partition: fc.nat(2),
  withId: fc.boolean(),
  fate: fc.oneof(
    {weight: 6, arbitrary: fc.constant('whole' as const)},
    {weight: 2, arbitrary: fc.constant('incomplete' as const)},
    {weight: 1, arbitrary: fc.constant('mismatching' as const)},
  ),
  fault: fc.option(
    fc.record({
      at: fc.constantFrom('open' as const, 'write' as const, 'finish' as const),
      code: fc.constantFrom('FILE_NAME_CONFLICT' as const, 'STORAGE_FULL' as const),
      times: fc.integer({min: 1, max: 6}),
    }),
    {freq: 4},
  ),
  /** Only an upload with an id can be told from the same file sent again, by a process that has not seen the first. */
  isTwice: fc.boolean(),
})
const schedule = fc.record({
  partitions: fc.integer({min: 1, max: 3}),
  files: fc.array(filePlan, {minLength: 1, maxLength: 25}),
  shuffle: fc.array(fc.nat(1000), {minLength: 100, maxLength: 100}),
  /** How many of a hundred records are there from the start; the others arrive while files are delivered. */
  atStart: fc.nat(100),
  paces: fc.array(fc.nat(3), {minLength: 1, maxLength: 12}),
  disturbances: fc.array(
    fc.record({
      atStep: fc.integer({min: 1, max: 40}),
      kind: fc.constantFrom('kill', 'rebalance', 'stop', 'join'),
    }),
    {maxLength: 3},
  ),
  fetchRecords: fc.constantFrom(1, 3, 500),
  memoryBytes: fc.constantFrom(1, 64, 1 << 20),
  concurrency: fc.integer({min: 1, max: 4}),
  commitFiles: fc.integer({min: 1, max: 4}),
})
type Schedule = typeof schedule extends fc.Arbitrary<infer S> ? S : never
type FilePlan = Schedule['files'][number]

interface Arrival {
  readonly partition: number
  readonly record: OutgoingRecord
}

const pathOf = (n: number) => `f${n}`
const contentOf = ({chunks}: FilePlan, n: number) =>
  Buffer.from(`${n}:`.padEnd(chunks * 10, String.fromCharCode(97 + (n % 26))))

function arrivals({partitions, files, shuffle}: Schedule): Arrival[] {
  const all = files.flatMap((plan, n) => {
    const records = recordsFor(pathOf(n), contentOf(plan, n), {
      uploadId: plan.withId || plan.fate === 'mismatching' ? newUploadId(SENT_MS) : null,
    })
    const sent = plan.fate === 'mismatching' ? mismatching(records) : records
    const there = plan.fate === 'incomplete' ? sent.slice(1) : sent
    return [...there, ...(plan.isTwice && plan.withId ? there : [])].map((record) => ({
      partition: plan.partition % partitions,
      record,
    }))
  })
  return all
    .map((arrival, i) => ({...arrival, key: shuffle[i % shuffle.length]!}))
    .sort((a, b) => a.key - b.key)
}

function problemOf({fate, chunks}: FilePlan): string | undefined {
  if (fate === 'whole') return undefined
  if (fate === 'mismatching') return 'failed'
  // Without its only chunk nobody has heard of it.
  return chunks === 1 ? undefined : 'incomplete'
}

async function send(kafka: MemoryKafka, {partition, record}: Arrival): Promise<void> {
  await kafka.producer().send({topic: 't', partition, records: [{...record, timestampMs: SENT_MS}]})
}

/** Fails by name instead of hanging. */
async function soon<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} does not end`)), 20_000)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

class Stage {
  readonly store = new SharedStore()
  private readonly faults: Map<string, PlannedFault>
  private readonly pending: Arrival[]

  constructor(
    private readonly kafka: MemoryKafka,
    private readonly plan: Schedule,
  ) {
    this.faults = new Map(
      plan.files.flatMap(({fault}, n) => (fault === null ? [] : [[pathOf(n), {...fault}] as const])),
    )
    this.pending = arrivals(plan)
  }

  async arrive(count: number): Promise<void> {
    for (const arrival of this.pending.splice(0, count)) await send(this.kafka, arrival)
  }

  async atStart(): Promise<void> {
    await this.arrive(Math.ceil((this.pending.length * this.plan.atStart) / 100))
  }

  /** One process, disturbed at a step of its destination; it takes nothing with it. */
  async member(disturbance: {readonly atStep: number; readonly kind: string} | null): Promise<void> {
    const {paces, memoryBytes, concurrency, commitFiles} = this.plan
    const destination = new FaultyDestination(this.store, this.faults, pacedBy(paces))
    const spill = memorySpill()
    const ended = new AbortController()
    let beside: Promise<void> = Promise.resolve()
    const killed = new Promise<'killed'>((resolve) => {
      destination.onStep = (step) => {
        void this.arrive(1)
        if (step !== disturbance?.atStep) return
        if (disturbance.kind === 'rebalance') this.kafka.forceRebalance('g')
        if (disturbance.kind === 'stop') ended.abort()
        if (disturbance.kind === 'join') beside = this.member(null)
        if (disturbance.kind === 'kill') {
          destination.kill()
          resolve('killed')
        }
      }
    })
    const run = deliver({
      kafka: this.kafka,
      destination,
      spill,
      reporter: new RecordingReporter(),
      signal: ended.signal,
      options: {memoryBytes, concurrency, commitFiles},
    })
    if ((await soon('a run', Promise.race([run, killed]))) === 'killed') {
      run.catch(() => undefined)
      const never = new Promise(() => undefined)
      for (const {memberId} of await this.kafka.admin().groupMembers('g'))
        this.kafka.expireMember('g', memberId, {noticedAfter: never})
      ended.abort()
    } else {
      expect({writers: destination.openWriters, spillFiles: spill.open}).toEqual({writers: 0, spillFiles: 0})
    }
    await soon('the member that joined', beside)
  }
}

describe('a delivery on any schedule', () => {
  it('ends, gives back what it took, and keeps no file back for another', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async (plan) => {
        const kafka = createMemoryKafka({fetchRecords: plan.fetchRecords})
        await kafka.admin().createTopic('t', {partitions: plan.partitions})
        const stage = new Stage(kafka, plan)
        await stage.atStart()
        for (const disturbance of [...plan.disturbances, null]) await stage.member(disturbance)
        await stage.arrive(Infinity)

        const {report} = await soon(
          'the last run',
          deliver({kafka, destination: new FaultyDestination(stage.store)}),
        )
        for (const [n, file] of plan.files.entries()) {
          const content = file.fate === 'whole' ? contentOf(file, n).toString('latin1') : undefined
          expect(stage.store.content(pathOf(n)), pathOf(n)).toBe(content)
          const told = report.problems.find(({path}) => path === pathOf(n))?.outcome
          expect(told, pathOf(n)).toBe(problemOf(file))
        }
        const before = stage.store.deliveries.length
        await deliver({kafka, destination: new FaultyDestination(stage.store)})
        expect(stage.store.deliveries.length, 'delivered again by a further run').toBe(before)
      }),
      {numRuns: 120, endOnFailure: false},
    )
  })

  it('completes thousands of files that were open at once on one partition, with no memory to wait in', async () => {
    const files = 3000
    const kafka = createMemoryKafka()
    await kafka.admin().createTopic('t', {partitions: 1})
    const content = Buffer.from('0123456789abcdefghij.....')
    const all = Array.from({length: files}, (_, n) => recordsFor(pathOf(n), content))
    for (const index of [2, 1, 0])
      for (let n = 0; n < files; n += 500) {
        const records = all.slice(n, n + 500).map((ofFile) => ({...ofFile[index]!, timestampMs: SENT_MS}))
        await kafka.producer().send({topic: 't', partition: 0, records})
      }
    const spill = memorySpill()
    const destination = new FaultyDestination(new SharedStore())
    let mostOpen = 0
    const {report} = await deliver({
      kafka,
      destination,
      spill: {
        create: () => {
          mostOpen = Math.max(mostOpen, spill.open + 1)
          return spill.create()
        },
      },
      options: {memoryBytes: 1, commitFiles: 1000},
    })
    expect(report.files).toMatchObject({delivered: files, held: 0, incomplete: 0})
    expect(mostOpen).toBe(files)
    expect({writers: destination.openWriters, spillFiles: spill.open}).toEqual({writers: 0, spillFiles: 0})
  })
})
