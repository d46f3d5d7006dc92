/**
 * Where the content of a file is kept while a processor works with it.
 *
 *     mode      a file under its name (`localPath`)   in memory as well
 *     auto      yes                                   while it is small
 *     disk      yes                                   no
 *     both      yes                                   as far as the budget goes
 *     memory    no                                    as far as the budget goes; else in a file that is not shown
 *
 * So every mode takes files of every size, and gives the same bytes. The budget is shared by all files that are open or
 * being worked on; a file that finds no room in it is written to the disk as it comes in.
 *
 * Each file lies alone in a directory of this process's slot (workspace.ts) that is removed, with all that was put
 * beside it, when the file has its outcome, and by the next start after a death. Nothing of it is synced: what a power
 * cut takes is read from the topic once more.
 *
 * Workers may change what they are given. Before another attempt that is noticed, and mended from the copy in memory or
 * by reading the file from the topic again (staged-content.ts).
 */
import {Gauge} from '../../../core/flow/index.js'
import type {FileStaging, IncomingFile, Logger, StepObserver} from '../../../core/ports/index.js'
import type {OutputPlace} from '../output-place.js'
import {outputComponents} from '../output-path.js'
import {StagedContent} from './staged-content.js'
import {DiskStagingWriter} from './staging-writer.js'

export type StagingMode = 'auto' | 'memory' | 'disk' | 'both'

/** In mode `auto` a larger one is not kept in memory. */
const SMALL_FILE_BYTES = 1 << 20

export interface FileStagingOptions {
  readonly mode: StagingMode
  /** Of content in memory, over all files. */
  readonly memoryBytes: number
  /** After success a file stays in the output directory, under its path. Not in mode `memory`. */
  readonly keepFiles: boolean
  readonly steps: StepObserver
  readonly logger: Logger
  /** Ends every wait for the storage. */
  readonly signal: AbortSignal
}

export function createFileStaging(place: OutputPlace, options: FileStagingOptions): FileStaging {
  const {mode, memoryBytes, keepFiles, signal: stop} = options
  const budget = {used: new Gauge(), limitBytes: memoryBytes, fileLimitBytes: fileLimitOf(mode, memoryBytes)}
  const writers = new Set<DiskStagingWriter>()
  return {
    async open(file: IncomingFile, signal: AbortSignal) {
      const components = mode === 'memory' ? null : outputComponents(file.path)
      const ends = (): AbortSignal => AbortSignal.any([signal, stop])
      const workspace = await place.workspace(ends)
      const content = new StagedContent(file, {
        ...options,
        workspace,
        name: components?.at(-1) ?? null,
        keepAs: keepFiles ? components : null,
        whenStorageAllows: (work) =>
          place.whenStorageAllows(work, () => AbortSignal.any([signal, stop, workspace.lost])),
        leave: (work) => place.leave(work),
      })
      const writer = new DiskStagingWriter(content, budget, options.steps, signal, () =>
        writers.delete(writer),
      )
      writers.add(writer)
      return writer
    },

    async close() {
      await Promise.all([...writers].map((writer) => writer.discard()))
    },
  }
}

function fileLimitOf(mode: StagingMode, memoryBytes: number): number {
  if (mode === 'disk') return -1
  return mode === 'auto' ? Math.min(SMALL_FILE_BYTES, memoryBytes) : memoryBytes
}
