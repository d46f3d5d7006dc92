/** What letters are about, generation by generation: several letters may name records of the same file. */
import type {DecodedChunk} from '../../core/chunk/index.js'
import type {RefusedRecord} from '../../core/dead-letters/index.js'
import {IntervalSet} from '../../core/offsets/index.js'
import type {FoundLetter} from './letters.js'
import type {ReferredRecords} from './referred-records.js'

export interface ParkedGeneration {
  /** Of topic, path, content and upload. */
  readonly identity: string
  readonly topic: string
  readonly path: string
  /** By partition. */
  readonly records: Map<number, IntervalSet>
  /** Where on the dead-letter topic its letters are. */
  readonly letters: {readonly partition: number; readonly offset: number}[]
}

/** A record that is no chunk for us either, or that is gone. */
export interface RefusedAgain {
  readonly letter: RefusedRecord
  readonly code: 'REFUSED_AGAIN' | 'RECORDS_GONE'
  readonly reason: string
}

export async function parkedGenerations(
  letters: readonly FoundLetter[],
  records: ReferredRecords,
  signal: AbortSignal,
): Promise<{generations: ParkedGeneration[]; refused: RefusedAgain[]}> {
  const byIdentity = new Map<string, ParkedGeneration>()
  const generationOf = (topic: string, path: string, sha512: string, uploadId: string | null) => {
    const identity = identityOf(topic, path, sha512, uploadId)
    const known = byIdentity.get(identity)
    if (known) return known
    const generation: ParkedGeneration = {identity, topic, path, records: new Map(), letters: []}
    byIdentity.set(identity, generation)
    return generation
  }

  const refused: RefusedAgain[] = []
  for (const letter of letters) {
    if (letter.kind === 'file') {
      const generation = generationOf(letter.topic, letter.path, letter.sha512, letter.uploadId)
      generation.letters.push(letter.at)
      for (const [partition, offsets] of letter.records)
        for (const {start, end} of offsets.runs()) addRecords(generation, partition, start, end)
      continue
    }
    const {topic, partition, offset} = letter.origin
    const found = await records.one(letter.origin, signal)
    if (found === null || 'poison' in found) {
      refused.push(
        found === null
          ? {letter, code: 'RECORDS_GONE', reason: 'it is gone from the topic'}
          : {letter, code: 'REFUSED_AGAIN', reason: found.reason},
      )
      continue
    }
    const generation = generationOf(
      topic,
      found.path,
      found.chunk.sha512.toString('hex'),
      found.headers.uploadId,
    )
    generation.letters.push(letter.at)
    addRecords(generation, partition, offset, offset + 1)
  }
  return {generations: [...byIdentity.values()], refused}
}

export function addRecords({records}: ParkedGeneration, partition: number, start: number, end: number): void {
  const offsets = records.get(partition) ?? new IntervalSet()
  offsets.addRun(start, end)
  records.set(partition, offsets)
}

/** A letter may name any record; only chunks of its file count. */
export function isChunkOf({identity, topic}: ParkedGeneration, decoded: DecodedChunk): boolean {
  return identity === generationIdentity(topic, decoded)
}

export function generationIdentity(topic: string, {path, chunk, headers}: DecodedChunk): string {
  return identityOf(topic, path, chunk.sha512.toString('hex'), headers.uploadId)
}

const identityOf = (topic: string, path: string, sha512: string, uploadId: string | null) =>
  JSON.stringify([topic, path, sha512, uploadId])
