/**
 * Which files were processed, in an index of the same make as that of delivered ones. Of each path it keeps the newest
 * generation; when all generations are processed, each of them.
 */
import {createHash} from 'node:crypto'
import type {IncomingFile, ProcessedIndex} from '../../core/ports/index.js'
import {uploadKey} from '../../core/reassembly/index.js'
import type {DeliveredIndex, Holding} from './delivered-index.js'
import {type Delivered, deliveredEntry} from './index-slot.js'
import type {OutputPlace} from './output-place.js'

export interface ProcessedIndexOptions {
  readonly generations: 'newest' | 'all'
  /** Ends every wait for the storage. */
  readonly signal: AbortSignal
}

export function createProcessedIndex(
  place: OutputPlace,
  {generations, signal}: ProcessedIndexOptions,
): ProcessedIndex {
  const entryOf = (file: IncomingFile, sizeBytes: number): Delivered => {
    const entry = deliveredEntry(file, sizeBytes)
    return generations === 'all' ? {...entry, pathHash: hashOf(uploadKey(file))} : entry
  }
  const withIndex = async <T>(work: (index: DeliveredIndex) => Promise<T>): Promise<T> => {
    const {index} = await place.workspace(() => signal)
    return place.whenStorageAllows(
      () => work(index),
      () => signal,
    )
  }
  return {
    look: (file) =>
      withIndex(async (index) => lookedUp(await index.holds(entryOf(file, file.sizeBytes ?? 0)))),
    record: (file, sizeBytes) =>
      withIndex(async (index) => {
        const entry = entryOf(file, sizeBytes)
        const holding = await index.holds(entry)
        // What came again counts as new as its newest copy.
        const sync = await index.record(holding.what === 'same' ? holding.asOf : entry)
        await sync()
      }),
  }
}

function lookedUp({what}: Holding): 'same' | 'newer' | 'nothing' {
  return what === 'neither' ? 'nothing' : what
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(`generation ${key}`).digest()
}
