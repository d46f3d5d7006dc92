/** What might make `reconstruct` hold more than it should, with the memory that it took at its peak. */
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createKafkaClient} from '../../src/adapters/kafka/index.js'
import type {DeliverReport} from '../../src/core/report.js'
import {type ChunkedFile, chunkedFile, manyChunkedFiles, produceRounds, range} from './crash/open-files.js'
import {silentLogger} from './delivery.js'
import {createTopic} from './kafka-levers.js'
import {streamtoolWithPeak} from './peak-rss.js'
import {seededBytes} from './trees.js'

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

/** Quickly made, and no two blocks the same. */
export function distinctBlocks(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes, seededBytes(7, 65_536 + 1))
  for (let at = 0; at + 8 <= sizeBytes; at += 65_536) bytes.writeDoubleBE(at, at)
  return bytes
}
