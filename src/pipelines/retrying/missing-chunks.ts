/** Chunks of parked files that came after they were parked: one look through the rest of each partition, for all. */
import type {ConsumedRecord, Logger} from '../../core/ports/index.js'
import type {DecodedChunk} from '../../core/chunk/index.js'
import {addRecords, generationIdentity, type ParkedGeneration} from './parked-generations.js'
import type {ReferredRecords} from './referred-records.js'

/** Adds what it finds to the generations. @returns those that have more records now */
export async function findMissingChunks(
  incomplete: readonly ParkedGeneration[],
  records: ReferredRecords,
  logger: Logger,
  signal: AbortSignal,
): Promise<ParkedGeneration[]> {
  const byIdentity = new Map(incomplete.map((generation) => [generation.identity, generation]))
  const grown = new Set<ParkedGeneration>()
  for (const {topic, partition, from} of placesBehind(incomplete)) {
    logger.debug(`Looking for missing chunks on ${topic}-${partition} from ${from}.`)
    const look = async (decoded: DecodedChunk, {offset}: ConsumedRecord) => {
      const generation = byIdentity.get(generationIdentity(topic, decoded))
      if (generation === undefined || generation.records.get(partition)?.has(offset) === true) return
      addRecords(generation, partition, offset, offset + 1)
      grown.add(generation)
    }
    await records.readFrom({topic, partition, offset: from}, look, signal)
  }
  return [...grown]
}

interface Place {
  readonly topic: string
  readonly partition: number
  readonly from: number
}

/** Per partition, behind the first file that was parked there. */
function placesBehind(generations: readonly ParkedGeneration[]): Place[] {
  const places = new Map<string, Place>()
  for (const {topic, records} of generations)
    for (const [partition, offsets] of records) {
      const last = [...offsets.runs()].at(-1)
      if (last === undefined) continue
      const name = `${topic}/${partition}`
      places.set(name, {topic, partition, from: Math.min(last.end, places.get(name)?.from ?? Infinity)})
    }
  return [...places.values()]
}
