/** The memory that `s3-transfer` takes, with files far larger, and far more of them open, than its buffers hold. */
import {join} from 'node:path'
import {afterAll, beforeAll, expect, it} from 'vitest'
import {createKafkaClient} from '../../src/adapters/kafka/index.js'
import type {DeliverReport} from '../../src/core/report.js'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {manyChunkedFiles, produceRounds, range} from '../support/crash/open-files.js'
import {silentLogger} from '../support/delivery.js'
import {createTopic} from '../support/kafka-levers.js'
import {RSS_LIMIT_MIB, streamtoolWithPeak} from '../support/peak-rss.js'
import {BUCKET, startStore, type StoreUnderTest} from '../support/s3/bucket-under-test.js'
import {temporaryDirectory} from '../support/temporary-directory.js'
import {writeLargeFile} from '../support/trees.js'

/** LARGE_BYTES=5368709120 is as large as one PutObject may not be; it takes minutes more, and no more memory. */
const LARGE_BYTES = Number(process.env['LARGE_BYTES'] ?? 1024 ** 3)

let broker: MortalBroker
let store: StoreUnderTest
beforeAll(async () => {
  broker = await startSandboxProcess()
  store = await startStore()
})
afterAll(async () => {
  await broker.close()
  await store.close()
})

async function transferred(topic: string): Promise<{report: DeliverReport; peakMiB: number}> {
  const {report, peakMiB} = await streamtoolWithPeak(
    ['s3-transfer', '--topic', topic, '--bucket', BUCKET, '--once', '--brokers', broker.bootstrap],
    {
      ...process.env,
      STREAMTOOL_STATE_DIR: await temporaryDirectory(),
      AWS_ENDPOINT_URL_S3: store.endpoint,
      AWS_ACCESS_KEY_ID: store.accessKeyId,
      AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
    },
  )
  const {seconds, bytes} = report as DeliverReport
  console.log(
    `${topic}: ${Math.round(bytes / 1048576)} MiB in ${seconds.toFixed(1)} s, ${peakMiB} MiB resident at most`,
  )
  return {report: report as DeliverReport, peakMiB}
}

it('2,000 files that are open at once', async () => {
  const files = manyChunkedFiles('open', {count: 2000, chunks: 4, chunkBytes: 65_536})
  const client = createKafkaClient({brokers: [broker.bootstrap], clientId: 'memory'}, {logger: silentLogger})
  await createTopic(broker.bootstrap, 'many-open', 1)
  await produceRounds(client.producer(), files, {topic: 'many-open', partitions: 1, chunks: range(1, 4)})
  await client.close()
  const {report, peakMiB} = await transferred('many-open')
  expect(report).toMatchObject({problems: [], files: {delivered: 2000}})
  for (const {path, content} of files.filter((_, index) => index % 40 === 0))
    expect((await store.object(`many-open/${path}`))?.equals(content), path).toBe(true)
  expect(peakMiB).toBeLessThan(RSS_LIMIT_MIB)
})

it('a file of several GiB, which the store checks', {timeout: 3_600_000}, async () => {
  const input = await temporaryDirectory()
  await writeLargeFile(join(input, 'large.raw'), LARGE_BYTES)
  await streamtoolWithPeak(['upload', input, '--topic', 'large', '--brokers', broker.bootstrap], process.env)
  const {report, peakMiB} = await transferred('large')
  expect(report).toMatchObject({bytes: LARGE_BYTES, problems: [], files: {delivered: 1}})
  expect(await store.pendingUploads()).toEqual([])
  expect(peakMiB).toBeLessThan(RSS_LIMIT_MIB)
})
