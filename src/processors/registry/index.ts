/**
 * `--registry`: the files in which OpenMSIStream keeps what it has processed, for scripts that read them. They are an
 * export: nothing is ever decided by them, and trouble with them stops nothing.
 *
 *     consuming_from_<topic>_in_progress_by_<group>.csv   what was begun, and what failed: small, written anew
 *     processed_from_<topic>_by_<group>.csv               what was processed: grows at its end
 *     results_produced_to_<result topic>.csv              instead, with a result topic (as of its reproducers)
 *
 * Both are written every few seconds while something happens, and at the end; the first replaced as a whole, so that
 * nobody reads a part of it. What is in progress when a run ends stays listed, and the next one takes it over.
 */
import type {Clock, Destination, FileWriter, IncomingFile, Logger, TableFile} from '../../core/ports/index.js'
import {cellsOf, dateCell, lineOf, pythonRepr} from './format.js'

const WRITE_EVERY_MS = 3000
const IN_PROGRESS = 'filename;rel_filepath;status;n_chunks;first_message;most_recent_message'
const PROCESSED = 'filename;rel_filepath;n_chunks;first_message;processed_at'
const PROCESSED_LINE = /;\d+;'[^;']+';'[^;']+ at \d\d:\d\d:\d\d'$/

type Status = 'in_progress' | 'mismatched_hash' | 'failed' | 'computing_result_message_failed'

/** The cells of a line as they are in the file. */
interface Entry {
  readonly name: string
  readonly path: string
  readonly status: string
  readonly chunks: string
  readonly first: string
  readonly recent: string
}

export interface RegistryNames {
  readonly topic: string
  readonly group: string
  readonly resultTopic: string | null
}

export function registryFileNames({topic, group, resultTopic}: RegistryNames) {
  const by = group.replace(/[/\\\0]/g, '_')
  return {
    inProgress: `consuming_from_${topic}_in_progress_by_${by}.csv`,
    processed:
      resultTopic === null
        ? `processed_from_${topic}_by_${by}.csv`
        : `results_produced_to_${resultTopic}.csv`,
  }
}

export interface RegistryOptions {
  readonly inProgress: TableFile
  readonly processed: TableFile
  /** Whether the processor is what OpenMSIStream calls a reproducer: it has a result topic. */
  readonly isReproducer: boolean
  readonly clock: Clock
  readonly logger: Logger
}

export interface Registry {
  /** The same destination; what happens to its files is told to the registry. Closes the registry with it. */
  watch(destination: Destination): Destination
  close(): Promise<void>
}

/** @throws what reading the tables of the last run throws */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const {inProgress, processed} = options
  const [, ...lines] = ((await inProgress.read()) ?? '').split('\n').filter((line) => line !== '')
  const entries = new Map(lines.map(entryOf).map((entry) => [entry.path, entry]))
  await mend(processed)
  return new WrittenRegistry(options, entries)
}

/** A line that a crash left unfinished, or an empty one, would make the whole file unreadable to OpenMSIStream. */
async function mend(processed: TableFile): Promise<void> {
  for (;;) {
    const last = await processed.lastLine()
    if (last === PROCESSED || (last !== null && PROCESSED_LINE.test(last))) return
    if (last === null || (last === '' && (await processed.read()) === '')) return processed.replace(PROCESSED)
    await processed.dropLastLine()
  }
}

class WrittenRegistry implements Registry {
  /** Processed, and not yet in the file. */
  private added = ''
  /** Given up since the last time that the table was written. */
  private readonly leaving = new Set<string>()
  private readonly ended = new AbortController()
  private writing: Promise<void> | null = null
  private isChanged = true
  private hasWarned = false
  /** The paths in the processed table, as cells; null until somebody asks. */
  private listed: Set<string> | null = null

  constructor(
    private readonly options: RegistryOptions,
    private readonly entries: Map<string, Entry>,
  ) {}

  watch(destination: Destination): Destination {
    return {
      open: async (file, signal) => {
        const writer = await destination.open(file, signal)
        this.set(file, 'in_progress')
        return this.watchWriter(file, writer)
      },
      recall: (file) => destination.recall(file),
      mismatched: async (file) => {
        this.set(file, 'mismatched_hash')
        await destination.mismatched?.(file)
      },
      close: async () => {
        await destination.close()
        await this.close()
      },
    }
  }

  async close(): Promise<void> {
    // What is given up at the end of a run is still to be done.
    this.leaving.clear()
    this.ended.abort()
    await this.writing
    await this.write()
  }

  private watchWriter(file: IncomingFile, writer: FileWriter): FileWriter {
    let isConcluded = false
    return {
      write: (data) => writer.write(data),
      finish: async (sizeBytes) => {
        isConcluded = true
        try {
          const outcome = await writer.finish(sizeBytes)
          const isNew = outcome === 'delivered' || (outcome === 'unchanged' && !(await this.isListed(file)))
          if (isNew) this.processed(file)
          else this.remove(file)
          return outcome
        } catch (thrown) {
          this.set(file, this.options.isReproducer ? 'computing_result_message_failed' : 'failed')
          throw thrown
        }
      },
      discard: async () => {
        await writer.discard()
        if (!isConcluded) this.leaving.add(pythonRepr(file.path))
      },
    }
  }

  private set({path, name, chunkCount}: IncomingFile, status: Status): void {
    const cell = pythonRepr(path)
    const now = dateCell(this.options.clock.nowMs())
    const first = this.entries.get(cell)?.first ?? now
    this.entries.set(cell, {
      ...{name: pythonRepr(name), path: cell, status, chunks: String(chunkCount)},
      ...{first, recent: now},
    })
    this.leaving.delete(cell)
    this.changed()
  }

  private processed({path, name, chunkCount}: IncomingFile): void {
    const cell = pythonRepr(path)
    const now = dateCell(this.options.clock.nowMs())
    const first = this.entries.get(cell)?.first ?? now
    this.added += `\n${lineOf([pythonRepr(name), cell, String(chunkCount), first, now])}`
    this.listed?.add(cell)
    this.entries.delete(cell)
    this.changed()
  }

  /** Asked of files that were processed just before a crash. The table may be long, so it is read only then. */
  private async isListed({path}: IncomingFile): Promise<boolean> {
    if (this.listed === null) {
      const lines = ((await this.options.processed.read().catch(() => null)) ?? '').split('\n')
      this.listed = new Set(lines.map((line) => cellsOf(line)[1] ?? ''))
    }
    return this.listed.has(pythonRepr(path))
  }

  private remove({path}: IncomingFile): void {
    this.entries.delete(pythonRepr(path))
    this.changed()
  }

  private changed(): void {
    this.isChanged = true
    if (!this.ended.signal.aborted) this.writing ??= this.writeSoon()
  }

  private async writeSoon(): Promise<void> {
    // The end of the run ends the pause.
    await this.options.clock.sleep(WRITE_EVERY_MS, this.ended.signal).catch(() => undefined)
    for (const path of this.leaving) this.entries.delete(path)
    this.leaving.clear()
    await this.write()
    this.writing = null
    if (this.isChanged || this.leaving.size > 0) this.changed()
  }

  /** What cannot be written now is tried again with the next change, and at the end. */
  private async write(): Promise<void> {
    const {inProgress, processed, logger} = this.options
    if (!this.isChanged) return
    this.isChanged = false
    const added = this.added
    const lines = [...this.entries.values()].map(({name, path, status, chunks, first, recent}) =>
      lineOf([name, path, pythonRepr(status), chunks, first, recent]),
    )
    try {
      if (added !== '') await processed.append(added)
      this.added = this.added.slice(added.length)
      await inProgress.replace([IN_PROGRESS, ...lines].join('\n'))
    } catch (thrown) {
      this.isChanged = true
      if (this.hasWarned) return
      this.hasWarned = true
      logger.warn(
        `The registry could not be written: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      )
    }
  }
}

function entryOf(line: string): Entry {
  const [name = '', path = '', status = '', chunks = '', first = '', recent = ''] = cellsOf(line)
  return {name, path, status: status.slice(1, -1), chunks, first, recent}
}
