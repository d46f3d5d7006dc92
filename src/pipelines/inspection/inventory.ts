/** The generations that are on a topic, put together from its chunks in any order. */
import type {DecodedChunk} from '../../core/chunk/index.js'
import type {InspectedState} from '../../core/inspect-report.js'
import {compareGenerations, generationKey, orderOf} from '../../core/reassembly/index.js'
import type {ConsumedRecord} from '../../core/record.js'
import type {ContentPolicy} from './content-check.js'
import {SeenGeneration} from './seen-generation.js'

export class Inventory {
  generationCount = 0
  completeCount = 0
  /** The generation that takes the chunks of a key. */
  private readonly current = new Map<string, SeenGeneration>()
  private readonly byPath = new Map<string, SeenGeneration[]>()

  constructor(private readonly options: {readonly content: ContentPolicy; readonly withGroup: boolean}) {}

  accept(decoded: DecodedChunk, record: ConsumedRecord, isDone: boolean): void {
    const key = generationKey(decoded)
    let generation = this.current.get(key)
    if (!generation || this.isUploadedAgain(generation, decoded, record))
      generation = this.begin(key, decoded, record)
    const wasComplete = generation.isComplete
    generation.accept(decoded, record, isDone)
    if (!wasComplete && generation.isComplete) this.completeCount += 1
  }

  /** In the order of their paths, and of one path in the order in which they were met. */
  *generations(): Generator<SeenGeneration> {
    for (const path of [...this.byPath.keys()].sort()) yield* this.byPath.get(path) ?? []
  }

  /** Whole, and not hashed as a whole yet. */
  *unchecked(): Generator<SeenGeneration> {
    for (const generation of this.generations())
      if (generation.isComplete && generation.content.verdict === null) yield generation
  }

  stateOf(generation: SeenGeneration): InspectedState {
    if (this.hasNewer(generation, (other) => other.isComplete && !other.isCorrupt)) return 'superseded'
    if (!generation.isComplete) return 'incomplete'
    return generation.isCorrupt ? 'corrupt' : 'complete'
  }

  hasNewer(generation: SeenGeneration, which: (other: SeenGeneration) => boolean): boolean {
    const siblings = this.byPath.get(generation.path) ?? []
    // Nearly always the last one that was met is the newest.
    return siblings.findLast((other) => isNewer(other, generation) && which(other)) !== undefined
  }

  private begin(key: string, decoded: DecodedChunk, record: ConsumedRecord): SeenGeneration {
    const generation = new SeenGeneration(key, decoded, record, this.options)
    this.current.set(key, generation)
    const siblings = this.byPath.get(generation.path)
    if (siblings) siblings.push(generation)
    else this.byPath.set(generation.path, [generation])
    this.generationCount += 1
    return generation
  }

  /** A, B, then A again without upload ids, told apart as in core/reassembly. */
  private isUploadedAgain(
    generation: SeenGeneration,
    decoded: DecodedChunk,
    record: ConsumedRecord,
  ): boolean {
    if (decoded.headers.uploadId !== null || !generation.hasChunk(decoded.chunk.index)) return false
    const order = orderOf(record, decoded)
    return this.hasNewer(generation, (other) => compareGenerations(order, other.order) > 0)
  }
}

const isNewer = (a: SeenGeneration, b: SeenGeneration) => a !== b && compareGenerations(a.order, b.order) > 0
