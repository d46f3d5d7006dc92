/** From what was seen of a generation to what is told of it. */
import type {GroupFileState, InspectedFile, Verification} from '../../core/inspect-report.js'
import {formatRuns} from '../../core/offsets/index.js'
import type {Inventory} from './inventory.js'
import type {SeenGeneration} from './seen-generation.js'

/** A file of which every other chunk is missing need not be told of in full. */
const MOST_RUNS_TOLD = 1000

export function describeFile(generation: SeenGeneration, inventory: Inventory): InspectedFile {
  const {content, times, isComplete} = generation
  const group = groupStateOf(generation, inventory)
  return {
    path: generation.path,
    state: inventory.stateOf(generation),
    bytes: generation.bytes,
    sizeBytes: generation.sizeBytes,
    chunks: generation.chunkCount,
    chunksFound: generation.chunksFound,
    ...(isComplete ? {} : {missingChunks: formatRuns(generation.missingChunks(), MOST_RUNS_TOLD)}),
    duplicates: generation.duplicates,
    partitions: generation.partitions.toSorted((a, b) => a - b),
    verification: isComplete ? verificationOf(generation) : null,
    ...(isComplete && content.reason !== null ? {reason: content.reason} : {}),
    sha512: generation.sha512.toString('hex'),
    uploadId: generation.uploadId,
    producer: generation.producer,
    firstRecord: times.first,
    lastRecord: times.last,
    ...(group === null ? {} : {group}),
  }
}

/** A check that was not brought to its end, because the run was stopped, says nothing. */
const verificationOf = ({content}: SeenGeneration): Verification => content.verdict ?? 'unverified'

function groupStateOf(generation: SeenGeneration, inventory: Inventory): GroupFileState | null {
  const state = ownStateOf(generation)
  if (state === null || state === 'done') return state
  const isOverruled = inventory.hasNewer(
    generation,
    (other) => other.isComplete && ownStateOf(other) === 'done',
  )
  return isOverruled ? 'superseded' : state
}

const ownStateOf = ({group, chunkCount, isComplete, isCorrupt}: SeenGeneration) =>
  group?.state(chunkCount, isComplete && !isCorrupt) ?? null
