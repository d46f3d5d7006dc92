import {mkdir, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {beforeAll, beforeEach, describe, expect, it} from 'vitest'
import type {DeliverReport, UploadReport} from '../../src/core/report.js'
import {streamtoolJson} from '../support/cli.js'
import {createTopic} from '../support/kafka-levers.js'
import {
  isStateOfOpenMsiStream,
  type OpenMsiStream,
  startOpenMsiStream,
  withoutTimes,
} from '../support/openmsistream.js'
import {startRealKafka, type RealKafka} from '../support/real-kafka.js'
import {readTree, writeLargeFile, writeSmallFiles, writeTree, type FileFacts} from '../support/trees.js'

const SMALL_FILES = 3000
const LARGE_BYTES = 200 * 1024 * 1024 + 4321

let kafka: RealKafka
let theirs: OpenMsiStream
let home: string
let topic: string
let topics = 0

beforeAll(async () => {
  kafka = await startRealKafka()
  return () => kafka.close()
})

beforeAll(async () => {
  theirs = await startOpenMsiStream(kafka.bootstrap)
  return () => theirs.close()
})

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'streamtool-interop-'))
  topic = `interop-${++topics}`
  // It spreads the chunks of a file over all of them.
  await createTopic(kafka.bootstrap, topic, 3)
  return () => rm(home, {recursive: true})
})

const upload = (...paths: string[]) =>
  streamtoolJson<UploadReport>(['upload', ...paths, '--topic', topic, '--brokers', kafka.bootstrap])

const reconstruct = (output: string) =>
  streamtoolJson<DeliverReport>([
    ...['reconstruct', '--topic', topic, '--output', output, '--once', '--brokers', kafka.bootstrap],
  ])

async function downloadWithTheirs(output: string, expected: Record<string, FileFacts>): Promise<void> {
  await mkdir(output)
  await theirs.downloadUntilThere(output, topic, expected)
}

describe('what OpenMSIStream uploaded', () => {
  it(`DataFileUploadDirectory: ${SMALL_FILES} small files come back identical, with their times`, async () => {
    const [input, output] = [join(home, 'in'), join(home, 'out')]
    await writeSmallFiles(input, SMALL_FILES)
    await theirs.uploadDirectory(input, topic)
    const report = await reconstruct(output)
    expect(report).toMatchObject({poison: 0, problems: [], files: {delivered: SMALL_FILES, failed: 0}})
    expect(await readTree(output)).toEqual(await readTree(input, isStateOfOpenMsiStream))
  })

  it('UploadDataFile: a file of more than 200 MiB comes back identical', async () => {
    const [input, output] = [join(home, 'in'), join(home, 'out')]
    await writeLargeFile(join(input, 'Große Messung.h5'), LARGE_BYTES)
    await theirs.uploadFile(join(input, 'Große Messung.h5'), topic)
    const report = await reconstruct(output)
    expect(report).toMatchObject({poison: 0, bytes: LARGE_BYTES, files: {delivered: 1}})
    expect(await readTree(output)).toEqual(await readTree(input, isStateOfOpenMsiStream))
  })

  it('UploadDataFile: chunks of any size it offers', async () => {
    const [input, output] = [join(home, 'in'), join(home, 'out')]
    await writeLargeFile(join(input, 'small chunks.bin'), 300_001)
    await writeLargeFile(join(input, 'exact.bin'), 8 * 1024)
    await theirs.uploadFile(join(input, 'small chunks.bin'), topic, {chunkBytes: 1024})
    await theirs.uploadFile(join(input, 'exact.bin'), topic, {chunkBytes: 4096})
    await reconstruct(output)
    expect(await readTree(output)).toEqual(await readTree(input, isStateOfOpenMsiStream))
  })
})

describe('what streamtool uploaded', () => {
  it(`DataFileDownloadDirectory rebuilds ${SMALL_FILES} small files`, async () => {
    const [input, output] = [join(home, 'in'), join(home, 'out')]
    await writeSmallFiles(input, SMALL_FILES)
    const report = await upload(input)
    expect(report.files).toEqual({uploaded: SMALL_FILES, skipped: 0, failed: 0})
    const expected = await readTree(input)
    await downloadWithTheirs(output, expected)
    expect(withoutTimes(await readTree(output, isStateOfOpenMsiStream))).toEqual(withoutTimes(expected))
  })

  it('DataFileDownloadDirectory rebuilds a file of more than 200 MiB, an empty one, and odd names', async () => {
    const [input, output] = [join(home, 'in'), join(home, 'out')]
    await writeLargeFile(join(input, 'large.raw'), LARGE_BYTES)
    await writeTree(input, {
      'empty.txt': '',
      'a/b/c/_chunk_1_of_2': 'a name like a key',
      'it\'s; 100 % "quoted" ü µ 数据.csv': 'x',
      [`${'n'.repeat(196)}.dat`]: 'long',
    })
    expect((await upload(input)).files.uploaded).toBe(5)
    const expected = await readTree(input)
    await downloadWithTheirs(output, expected)
    expect(withoutTimes(await readTree(output, isStateOfOpenMsiStream))).toEqual(withoutTimes(expected))
  })
})
