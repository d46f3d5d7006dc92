/** `--memory` bounds what `reconstruct` takes, measured by what the system says. test/real/memory.test.ts has more. */
import {afterAll, beforeAll, expect, it} from 'vitest'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {backToFront, manyOpenAtOnce, processedAsStream} from '../support/memory-runs.js'
import {RSS_LIMIT_MIB} from '../support/peak-rss.js'

let broker: MortalBroker
beforeAll(async () => {
  broker = await startSandboxProcess()
})
afterAll(() => broker.close())

it('thousands of files that are open at once on one partition', async () => {
  const {peakMiB, report} = await manyOpenAtOnce(broker.bootstrap, {
    files: 3000,
    chunks: 3,
    chunkBytes: 16_384,
  })
  expect(report).toMatchObject({problems: [], files: {delivered: 3000}})
  expect(peakMiB).toBeLessThan(RSS_LIMIT_MIB)
})

it('a file that comes back to front, and is larger than the budget', async () => {
  const {peakMiB, report} = await backToFront(broker.bootstrap, 200 << 20)
  expect(report).toMatchObject({problems: [], files: {delivered: 1}})
  expect(peakMiB).toBeLessThan(RSS_LIMIT_MIB)
})

it('a file that a processor reads as a stream, and is larger than the budget', async () => {
  const {peakMiB, report} = await processedAsStream(broker.bootstrap, 200 << 20)
  expect(report).toMatchObject({problems: [], files: {delivered: 1}})
  expect(peakMiB).toBeLessThan(RSS_LIMIT_MIB)
})
