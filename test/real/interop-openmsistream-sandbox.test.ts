/** The sandbox is Kafka enough for the real OpenMSIStream, which knows it through librdkafka: both ways. */
import {join} from 'node:path'
import {beforeAll, beforeEach, expect, it} from 'vitest'
import type {DeliverReport, UploadReport} from '../../src/core/report.js'
import {streamtoolJson} from '../support/cli.js'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {createTopic} from '../support/kafka-levers.js'
import {
  isStateOfOpenMsiStream,
  type OpenMsiStream,
  startOpenMsiStream,
  withoutTimes,
} from '../support/openmsistream.js'
import {temporaryDirectory} from '../support/temporary-directory.js'
import {readTree, writeLargeFile, writeSmallFiles} from '../support/trees.js'

let sandbox: MortalBroker
let theirs: OpenMsiStream
let topic: string
let topics = 0

beforeAll(async () => {
  sandbox = await startSandboxProcess()
  return () => sandbox.close()
})
beforeAll(async () => {
  theirs = await startOpenMsiStream(sandbox.bootstrap)
  return () => theirs.close()
})
beforeEach(async () => {
  topic = `sandbox-interop-${++topics}`
  // It spreads the chunks of a file over all of them.
  await createTopic(sandbox.bootstrap, topic, 3)
})

const common = () => ['--topic', topic, '--brokers', sandbox.bootstrap]

it('DataFileUploadDirectory to the sandbox: the files come back identical, with their times', async () => {
  const [input, output] = [await temporaryDirectory(), await temporaryDirectory()]
  await writeSmallFiles(input, 100)
  await writeLargeFile(join(input, 'some chunks.raw'), 5_000_001)
  await theirs.uploadDirectory(input, topic)
  const report = await streamtoolJson<DeliverReport>([
    'reconstruct',
    ...common(),
    '--output',
    output,
    '--once',
  ])
  expect(report).toMatchObject({poison: 0, problems: [], files: {delivered: 101}})
  expect(await readTree(output)).toEqual(await readTree(input, isStateOfOpenMsiStream))
})

it('UploadDataFile to the sandbox: a large file comes back identical', async () => {
  const [input, output] = [await temporaryDirectory(), await temporaryDirectory()]
  await writeLargeFile(join(input, 'Große Messung.h5'), 100 * 1024 * 1024 + 4321)
  await theirs.uploadFile(join(input, 'Große Messung.h5'), topic)
  await streamtoolJson<DeliverReport>(['reconstruct', ...common(), '--output', output, '--once'])
  expect(await readTree(output)).toEqual(await readTree(input, isStateOfOpenMsiStream))
})

it('what streamtool uploaded to the sandbox: DataFileDownloadDirectory rebuilds it', async () => {
  const [input, output] = [await temporaryDirectory(), await temporaryDirectory()]
  await writeSmallFiles(input, 500)
  await writeLargeFile(join(input, 'large.raw'), 50 * 1024 * 1024 + 99)
  expect((await streamtoolJson<UploadReport>(['upload', input, ...common()])).files.uploaded).toBe(501)
  const expected = await readTree(input)
  await theirs.downloadUntilThere(output, topic, expected)
  expect(withoutTimes(await readTree(output, isStateOfOpenMsiStream))).toEqual(withoutTimes(expected))
})
