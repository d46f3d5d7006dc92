/** What is on the dead-letter topic `dead` of a test, and retrying it. */
import {
  createMemoryDestination,
  type MemoryDestination,
} from '../../src/adapters/memory/memory-destination.js'
import {type DeadLetter, decodeLetter} from '../../src/core/dead-letters/index.js'
import type {ConsumedRecord, Destination} from '../../src/core/ports/index.js'
import {retryFiles} from '../../src/pipelines/retry-files.js'
import {memorySpill, realClock, silentLogger} from './delivery.js'
import type {TopicForTest} from './topic.js'

export async function letterRecords({kafka}: TopicForTest): Promise<ConsumedRecord[]> {
  const found: ConsumedRecord[] = []
  for (const range of await kafka.admin().partitionRanges('dead'))
    await kafka.reader().read(range, async (records) => void found.push(...records))
  return found
}

/** Null for what is no letter of ours. */
export async function letters(topic: TopicForTest): Promise<(DeadLetter | null)[]> {
  return (await letterRecords(topic)).map((record) => decodeLetter(record))
}

export async function retry(
  {kafka, reporter}: TopicForTest,
  destination: Destination = createMemoryDestination(),
) {
  const spill = memorySpill()
  const result = await retryFiles(
    {command: 'retry', from: 'dead', topic: null, group: 'r', memoryBytes: 1 << 20, concurrency: 2},
    {
      admin: kafka.admin(),
      reader: kafka.reader(),
      destination,
      spill,
      clock: realClock,
      logger: silentLogger,
      reporter,
      steps: {reached: () => undefined},
    },
    new AbortController().signal,
  )
  return {...result, spillFiles: spill.open}
}

export const contentIn = ({files}: MemoryDestination, path: string) =>
  files.get(path)?.content?.toString('latin1')
