import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {createMemoryKafka} from '../../src/adapters/memory/kafka/index.js'
import {createMemoryDestination} from '../../src/adapters/memory/memory-destination.js'
import {newUploadId} from '../../src/core/chunk/index.js'
import {contentIn, letters, retry} from '../support/dead-letters.js'
import {pacedBy, FaultyDestination} from '../support/faulty-destination.js'
import {LONG_AGO_MS, recordsFor, TopicForTest} from '../support/topic.js'

/** What is asked for beside the newest file of each path: all generations, some paths only, nothing given up. */

const upload = fc.record({
  path: fc.constantFrom('a', 'b', 'd/c'),
  chunks: fc.integer({min: 1, max: 5}),
  /** Numbers of chunks that come late, or never. */
  withheld: fc.uniqueArray(fc.integer({min: 1, max: 5}), {maxLength: 3}),
})
const plan = fc.record({
  uploads: fc.array(upload, {minLength: 1, maxLength: 7}),
  shuffle: fc.array(fc.nat(1000), {minLength: 40, maxLength: 40}),
  paces: fc.array(fc.nat(2), {minLength: 1, maxLength: 5}),
  restartAfter: fc.nat(30),
})
type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never

function recordsOf({uploads, shuffle}: Plan) {
  const ids = uploads.map(() => newUploadId(LONG_AGO_MS))
  const all = uploads.flatMap((each, n) =>
    recordsFor(each.path, contentOf(each, n), {uploadId: ids[n]!}).map((record, i) => ({
      n,
      record,
      isWithheld: each.withheld.includes(i + 1),
    })),
  )
  return all.map((each, i) => ({...each, key: shuffle[i % shuffle.length]!})).sort((a, b) => a.key - b.key)
}

const contentOf = ({chunks}: Plan['uploads'][number], n: number) =>
  Buffer.from(`${n}`.padEnd(chunks * 10, '.'))
const isWhole = ({chunks, withheld}: Plan['uploads'][number]) => withheld.every((index) => index > chunks)
const textOf = (each: Plan['uploads'][number], n: number) => contentOf(each, n).toString('latin1')

describe('--generations all', () => {
  it('delivers every complete generation of a path exactly once, over restarts', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (scenario) => {
        const topic = await TopicForTest.with()
        const delivered: string[] = []
        const inner = topic.store.files
        const set = inner.set.bind(inner)
        inner.set = (path, file) => {
          delivered.push(`${path} ${file.content.toString('latin1')}`)
          // As a processor, which does not look at what it did before.
          return set(path, {...file, order: {...file.order, offset: -1, timestampMs: -1, mtimeMs: null}})
        }
        const run = () =>
          topic.run({
            destination: new FaultyDestination(topic.store, new Map(), pacedBy(scenario.paces)),
            options: {generations: 'all'},
          })
        const records = recordsOf(scenario).filter(({isWithheld}) => !isWithheld)
        await topic.send(records.slice(0, scenario.restartAfter).map(({record}) => record))
        await run()
        await topic.send(records.slice(scenario.restartAfter).map(({record}) => record))
        await run()
        const complete = scenario.uploads.flatMap((each, n) =>
          isWhole(each) ? [`${each.path} ${textOf(each, n)}`] : [],
        )
        expect(delivered.sort()).toEqual(complete.sort())
      }),
      {numRuns: 80},
    )
  })
})

describe('--include and --exclude', () => {
  it('leave out what is not wanted, with all its records done, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(plan, fc.constantFrom('a', 'b', 'd/c'), async (scenario, unwanted) => {
        const topic = await TopicForTest.with()
        const records = recordsOf(scenario).filter(({isWithheld}) => !isWithheld)
        await topic.send(records.map(({record}) => record))
        const {report} = await topic.run({options: {wants: (path) => path !== unwanted}})
        expect(topic.store.deliveries).not.toContain(unwanted)
        expect(report.problems.map(({path}) => path)).not.toContain(unwanted)
        for (const path of ['a', 'b', 'd/c']) {
          if (path === unwanted) continue
          const isThere = scenario.uploads.some((each) => each.path === path && isWhole(each))
          expect(topic.store.content(path) !== undefined, path).toBe(isThere)
        }
        // What is done is not seen again, also by a run that wants everything.
        const again = await topic.run()
        expect(topic.store.deliveries).not.toContain(unwanted)
        expect(again.report.problems.map(({path}) => path)).not.toContain(unwanted)
      }),
      {numRuns: 80},
    )
  })
})

describe('copies of chunks that come after a restart', () => {
  const copied = fc.record({
    /** Chunks of each file, and which of them come again. */
    files: fc.array(fc.record({chunks: fc.integer({min: 1, max: 5}), again: fc.subarray([1, 2, 3, 4, 5])}), {
      minLength: 1,
      maxLength: 8,
    }),
    /** By its id, or by what the destination remembers. */
    knownBy: fc.constantFrom('id', 'destination'),
  })

  it('open nothing and leave nothing open', async () => {
    await fc.assert(
      fc.asyncProperty(copied, async ({files, knownBy}) => {
        const topic = await TopicForTest.with()
        const records = files.map(({chunks}, n) =>
          recordsFor(`f${n}`, Buffer.from(`${n}`.padEnd(chunks * 10, '.')), {
            uploadId: knownBy === 'id' ? newUploadId(LONG_AGO_MS) : null,
          }),
        )
        const destination = knownBy === 'id' ? new FaultyDestination(topic.store) : createMemoryDestination()
        await topic.send(records.flat())
        expect((await topic.run({destination})).report.files.delivered).toBe(files.length)

        const copies = files.flatMap(({again}, n) =>
          records[n]!.filter((_, index) => again.includes(index + 1)),
        )
        await topic.send(copies)
        const {report, exitCode} = await topic.run({destination})
        expect({exitCode, problems: report.problems}).toEqual({exitCode: 0, problems: []})
        expect(await topic.committed()).toEqual([records.flat().length + copies.length])
      }),
      {numRuns: 60},
    )
  })
})

describe('parking and retrying', () => {
  it('lose nothing: every record of a parked file is named, and with its missing chunks it is delivered', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (scenario) => {
        const topic = await TopicForTest.with(1, createMemoryKafka({fetchRecords: 7}))
        await topic.kafka.admin().createTopic('dead', {partitions: 2})
        const destination = createMemoryDestination()
        const park = () => topic.run({destination, options: {deadLetterTopic: 'dead', parkAfterMs: 0}})
        const records = recordsOf(scenario)
        const early = records.filter(({isWithheld}) => !isWithheld)
        const late = records.filter(({isWithheld}) => isWithheld)
        await topic.send(early.map(({record}) => record))
        const {report} = await park()
        expect(report.files).toMatchObject({open: 0, incomplete: 0})
        expect(await topic.committed()).toEqual([early.length])

        const named = new Set<number>()
        for (const letter of await letters(topic))
          if (letter?.kind === 'file')
            for (const offset of letter.records.get(0)?.values() ?? []) named.add(offset)
        for (const [offset, {n}] of early.entries()) {
          const each = scenario.uploads[n]!
          const begunAt = early.findIndex((other) => other.n === n)
          const isOver = isWhole(each) || isSupersededBy(destination, each.path, begunAt)
          if (!isOver) expect(named, `${each.path} at ${offset}`).toContain(offset)
        }

        await topic.send(late.map(({record}) => record))
        await park()
        const retried = await retry(topic, destination)
        expect(retried).toMatchObject({
          exitCode: 0,
          spillFiles: 0,
          report: {files: {incomplete: 0, failed: 0}},
        })
        for (const path of new Set(scenario.uploads.map((each) => each.path))) {
          const contents = scenario.uploads.flatMap((each, n) =>
            each.path === path ? [textOf(each, n)] : [],
          )
          expect(contents, path).toContain(contentIn(destination, path))
        }
        expect((await retry(topic, destination)).report.records).toBe(0)
      }),
      {numRuns: 100},
    )
  })
})

/** A generation that began later than at this offset is delivered. */
function isSupersededBy(
  {files}: ReturnType<typeof createMemoryDestination>,
  path: string,
  offset: number,
): boolean {
  const held = files.get(path)
  return held !== undefined && held.file.order.offset > offset
}
