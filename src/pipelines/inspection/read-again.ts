/** Checks a file whose chunks are not in file order on the topic, by reading them again in that order. */
import {decodeChunk} from '../../core/chunk/index.js'
import type {PartitionRange, TopicReader} from '../../core/ports/index.js'
import {generationKey} from '../../core/reassembly/index.js'
import type {ChunkPlace} from './content-check.js'
import type {SeenGeneration} from './seen-generation.js'

export async function readAgain(
  {key, content}: SeenGeneration,
  topic: string,
  reader: TopicReader,
  signal: AbortSignal,
): Promise<void> {
  for (const range of inRanges(topic, content.placesToRead())) {
    await reader.read(
      range,
      async (records) => {
        for (const record of records) {
          const decoded = decodeChunk(record)
          if ('chunk' in decoded && generationKey(decoded) === key) content.putAgain(decoded.chunk)
        }
      },
      signal,
    )
  }
  content.giveUp('some of its records are gone from the topic since they were first read')
}

/** Chunks that stand one behind the other are read at one go. */
function inRanges(topic: string, places: readonly ChunkPlace[]): PartitionRange[] {
  const ranges: {topic: string; partition: number; start: number; end: number}[] = []
  for (const {partition, offset} of places) {
    const last = ranges.at(-1)
    if (last?.partition === partition && last.end === offset) last.end = offset + 1
    else ranges.push({topic, partition, start: offset, end: offset + 1})
  }
  return ranges
}
