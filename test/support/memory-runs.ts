/** What might make `reconstruct` hold more than it should, with the memory that it took at its peak. */
import {createHash} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createKafkaClient} from '../../src/adapters/kafka/index.js'
import type {DeliverReport} from '../../src/core/report.js'
import {type ChunkedFile, chunkedFile, manyChunkedFiles, produceRounds, range} from './crash/open-files.js'
import {streamtoolJson} from './cli.js'
import {silentLogger} from './delivery.js'
import {createTopic} from './kafka-levers.js'
import {streamtoolWithPeak} from './peak-rss.js'
import {seededBytes, writeLargeFile} from './trees.js'

const MIB = 1 << 20
const CHUNK_BYTES = 512 * 1024

export interface MemoryRun {
  readonly peakMiB: number
  /** What was on the topic. */
  readonly topicMiB: number
  readonly report: DeliverReport
}

/** All of them are open until the last chunk of each comes. */
export async function manyOpenAtOnce(
  bootstrap: string,
  {files, chunks, chunkBytes}: {files: number; chunks: number; chunkBytes: number},
): Promise<MemoryRun> {
  const open = manyChunkedFiles('open', {count: files, chunks, chunkBytes})
  return reconstructed(bootstrap, 'many-open-at-once', open, range(1, chunks))
}

/** A file whose last chunk comes first: all but the first chunk are ahead of their turn. */
export async function backToFront(bootstrap: string, sizeBytes: number): Promise<MemoryRun> {
  const file = chunkedFile('back to front.raw', distinctBlocks(sizeBytes), CHUNK_BYTES)
  return reconstructed(bootstrap, 'back-to-front', [file], range(1, file.chunkCount).reverse())
}

async function reconstructed(
  bootstrap: string,
  topic: string,
  files: readonly ChunkedFile[],
  chunks: readonly number[],
): Promise<MemoryRun> {
  const home = await mkdtemp(join(tmpdir(), 'streamtool-memory-'))
  const output = join(home, 'out')
  const client = createKafkaClient({brokers: [bootstrap], clientId: 'memory-run'}, {logger: silentLogger})
  try {
    await createTopic(bootstrap, topic, 1)
    await produceRounds(client.producer(), files, {topic, partitions: 1, chunks})
    const args = ['reconstruct', '--topic', topic, '--output', output, '--once', '--brokers', bootstrap]
    const run = await streamtoolWithPeak(args, {
      ...process.env,
      STREAMTOOL_STATE_DIR: join(home, 'state'),
    })
    const {peakMiB} = run
    const report = run.report as DeliverReport
    for (const {path, content} of files) {
      const received = await readFile(join(output, path))
      if (!received.equals(content)) throw new Error(`${path} did not come back identical`)
    }
    const topicMiB = Math.round(files.reduce((sum, {content}) => sum + content.length, 0) / MIB)
    console.log(
      `${topic}: ${files.length} files, ${topicMiB} MiB, ${report.seconds.toFixed(1)} s, ` +
        `${peakMiB} MiB resident at most`,
    )
    return {peakMiB, topicMiB, report}
  } finally {
    await client.close()
    await rm(home, {recursive: true, force: true})
  }
}

/** A processor that reads a file of this size as a stream. */
export async function processedAsStream(bootstrap: string, sizeBytes: number): Promise<MemoryRun> {
  const home = await mkdtemp(join(tmpdir(), 'streamtool-memory-'))
  const env = {...process.env, STREAMTOOL_BROKERS: bootstrap, STREAMTOOL_STATE_DIR: join(home, 'state')}
  try {
    await writeLargeFile(join(home, 'in/large.raw'), sizeBytes)
    await writeFile(join(home, 'hashing.mjs'), HASHING)
    await streamtoolJson(['upload', join(home, 'in'), '--topic', 'streamed'], {env})
    const args = ['process', '--topic', 'streamed', '--plugin', join(home, 'hashing.mjs')]
    const run = await streamtoolWithPeak([...args, '--output', join(home, 'out'), '--once'], env)
    const [told, wanted] = await Promise.all([
      readFile(join(home, 'out/sha512'), 'utf8'),
      sha512Of(join(home, 'in/large.raw')),
    ])
    if (told !== wanted) throw new Error(`the stream gave ${told}, the file is ${wanted}`)
    const topicMiB = Math.round(sizeBytes / MIB)
    console.log(`streamed: ${topicMiB} MiB, ${run.peakMiB} MiB resident at most`)
    return {peakMiB: run.peakMiB, topicMiB, report: run.report as DeliverReport}
  } finally {
    await rm(home, {recursive: true, force: true})
  }
}

const HASHING = `
import {createHash} from 'node:crypto'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
export default {
  name: 'hashing',
  async process(file, {outputDir}) {
    const hash = createHash('sha512')
    for await (const piece of file.stream()) hash.update(piece)
    await writeFile(join(outputDir, 'sha512'), hash.digest('hex'))
  },
}
`

async function sha512Of(file: string): Promise<string> {
  const hash = createHash('sha512')
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer)
  return hash.digest('hex')
}

/** Quickly made, and no two blocks the same. */
export function distinctBlocks(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes, seededBytes(7, 65_536 + 1))
  for (let at = 0; at + 8 <= sizeBytes; at += 65_536) bytes.writeDoubleBE(at, at)
  return bytes
}
