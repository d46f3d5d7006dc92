/**
 * Files below a local directory. A file is written as a partial file; `finish` makes it visible in one step, and
 * resolves when that would survive a power cut:
 *
 *     content, mtime -> fdatasync -> a newer one there? -> rename -> enter in the index -> sync directory and index
 *
 * Files are finished side by side. Those that are renamed into a directory while it is being synced share its next
 * sync, and so it is with the index: thousands of small files a second are possible.
 *
 * Any number of files may be open. They share a bounded number of descriptors and, for small ones, of bytes.
 *
 * Trouble with the storage that can pass is waited out (storage-outage.ts); what fails for one file is thrown.
 */
import {Gauge, Semaphore, Turns} from '../../core/flow/index.js'
import type {
  Clock,
  Destination,
  FileWriter,
  IncomingFile,
  Logger,
  StepObserver,
} from '../../core/ports/index.js'
import {DirectoryWriter, type WriterSite} from './directory-writer.js'
import {deliveredEntry} from './index-slot.js'
import {outputComponents} from './output-path.js'
import {OutputPlace} from './output-place.js'
import type {OnConflict} from './placing.js'
import type {WhenStorageAllows} from './storage-outage.js'

export interface DirectoryDestinationOptions {
  /** Made when it is not there. Other processes may write to it too. */
  readonly root: string
  /** How many files are finished at once. */
  readonly concurrency: number
  /** `overwrite` unless given. */
  readonly onConflict?: OnConflict
  readonly clock: Clock
  readonly logger: Logger
  readonly steps: StepObserver
  /** Ends every wait for the storage. */
  readonly signal?: AbortSignal
  /** Is told what is the matter with the storage, and null when that is over. */
  readonly onOutage?: (reason: string | null) => void
}

export interface DirectoryOutput extends Destination {
  /** For whatever else writes in the same place: one outage is told once. */
  readonly whenStorageAllows: WhenStorageAllows
}

/** @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED */
export async function createDirectoryDestination(
  options: DirectoryDestinationOptions,
): Promise<DirectoryOutput> {
  return new DirectoryDestination(options, await OutputPlace.open({...options, index: 'index'}))
}

const NEVER = new AbortController().signal

class DirectoryDestination implements DirectoryOutput {
  readonly whenStorageAllows: WhenStorageAllows
  private readonly writers = new Set<DirectoryWriter>()
  private readonly site: WriterSite

  constructor(
    private readonly options: DirectoryDestinationOptions,
    private readonly place: OutputPlace,
  ) {
    this.whenStorageAllows = place.whenStorageAllows
    this.site = {
      steps: options.steps,
      logger: options.logger,
      onConflict: options.onConflict ?? 'overwrite',
      whenStorageAllows: this.whenStorageAllows,
      finishing: new Semaphore(options.concurrency),
      turns: new Turns(),
      heldBytes: new Gauge(),
      onSettled: (writer) => this.writers.delete(writer),
    }
  }

  async open(file: IncomingFile, signal: AbortSignal): Promise<FileWriter> {
    const components = outputComponents(file.path)
    const signals = this.options.signal === undefined ? [signal] : [signal, this.options.signal]
    const workspace = await this.place.workspace(() => AbortSignal.any(signals))
    const writer = new DirectoryWriter(file, components, workspace, this.site, signals)
    this.writers.add(writer)
    return writer
  }

  async recall(file: IncomingFile): Promise<'same' | 'newer' | 'nothing'> {
    const signal = (): AbortSignal => this.options.signal ?? NEVER
    const {index} = await this.place.workspace(signal)
    const entry = deliveredEntry(file, file.sizeBytes ?? 0)
    const {what} = await this.whenStorageAllows(() => index.holds(entry), signal)
    return what === 'neither' ? 'nothing' : what
  }

  async close(): Promise<void> {
    await this.place.leave(async () => {
      await Promise.all([...this.writers].map((writer) => writer.discard()))
    })
    await this.place.close()
  }
}
