/** The memory that streamtool takes, by what the system says, with files far larger than all of its buffers. */
import {join} from 'node:path'
import {afterAll, beforeAll, expect, it} from 'vitest'
import type {DeliverReport, UploadReport} from '../../src/core/report.js'
import {backToFront, manyOpenAtOnce, processedAsStream} from '../support/memory-runs.js'
import {RSS_LIMIT_MIB, streamtoolWithPeak} from '../support/peak-rss.js'
import {type RealKafka, startRealKafka} from '../support/real-kafka.js'
import {temporaryDirectory} from '../support/temporary-directory.js'
import {readTree, writeLargeFile} from '../support/trees.js'

const LARGE_BYTES = 2 * 1024 ** 3

let kafka: RealKafka
beforeAll(async () => {
  kafka = await startRealKafka()
})
afterAll(() => kafka.close())

it('a file of 2 GiB, uploaded and put together again', async () => {
  const [input, output] = [await temporaryDirectory(), await temporaryDirectory()]
  await writeLargeFile(join(input, 'large.raw'), LARGE_BYTES)
  const env = {
    ...process.env,
    STREAMTOOL_BROKERS: kafka.bootstrap,
    STREAMTOOL_STATE_DIR: await temporaryDirectory(),
  }
  const sent = await streamtoolWithPeak(['upload', input, '--topic', 'large'], env)
  const received = await streamtoolWithPeak(
    ['reconstruct', '--topic', 'large', '--output', output, '--once'],
    env,
  )
  const [upload, delivery] = [sent.report as UploadReport, received.report as DeliverReport]
  console.log(
    `2 GiB: uploaded in ${upload.seconds.toFixed(1)} s with ${sent.peakMiB} MiB resident at most, ` +
      `put together in ${delivery.seconds.toFixed(1)} s with ${received.peakMiB} MiB`,
  )
  expect(delivery).toMatchObject({bytes: LARGE_BYTES, problems: [], files: {delivered: 1}})
  expect(await readTree(output)).toEqual(await readTree(input))
  expect(sent.peakMiB).toBeLessThan(RSS_LIMIT_MIB)
  expect(received.peakMiB).toBeLessThan(RSS_LIMIT_MIB)
})

it('several thousand files that are open at once on one partition', async () => {
  const {peakMiB, report} = await manyOpenAtOnce(kafka.bootstrap, {
    files: 5000,
    chunks: 5,
    chunkBytes: 32_768,
  })
  expect(report).toMatchObject({problems: [], files: {delivered: 5000}})
  expect(peakMiB).toBeLessThan(RSS_LIMIT_MIB)
})

it('a file that comes back to front, and is many times larger than the budget', async () => {
  const {peakMiB, report} = await backToFront(kafka.bootstrap, 1 << 30)
  expect(report).toMatchObject({problems: [], files: {delivered: 1}})
  expect(peakMiB).toBeLessThan(RSS_LIMIT_MIB)
})

it('a file of 1 GiB that a processor reads as a stream', async () => {
  const {peakMiB, report} = await processedAsStream(kafka.bootstrap, 1 << 30)
  expect(report).toMatchObject({problems: [], files: {delivered: 1}})
  expect(peakMiB).toBeLessThan(RSS_LIMIT_MIB)
})
