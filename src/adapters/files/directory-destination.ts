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
import {StreamtoolError} from '../../core/errors.js'
import {Gauge, Semaphore, Turns} from '../../core/flow/index.js'
import type {
  Clock,
  Destination,
  FileWriter,
  IncomingFile,
  Logger,
  StepObserver,
} from '../../core/ports/index.js'
import {DescriptorPool} from './descriptor-pool.js'
import {DirectoryWriter, type WriterSite} from './directory-writer.js'
import {deliveredEntry} from './index-slot.js'
import {outputComponents} from './output-path.js'
import type {OnConflict} from './placing.js'
import {waitOutOutages, type WhenStorageAllows} from './storage-outage.js'
import {openWorkspace, reopenWorkspace, type Workspace} from './workspace.js'

const OPEN_DESCRIPTORS = 64

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
}

export interface DirectoryOutput extends Destination {
  /** For whatever else writes in the same place: one outage is told once. */
  readonly whenStorageAllows: WhenStorageAllows
}

/** @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED */
export async function createDirectoryDestination(
  options: DirectoryDestinationOptions,
): Promise<DirectoryOutput> {
  const descriptors = new DescriptorPool(Math.max(OPEN_DESCRIPTORS, 2 * options.concurrency))
  const first = await openWorkspace(options.root, descriptors, options.clock)
  return new DirectoryDestination(options, descriptors, first)
}

const NEVER = new AbortController().signal

class DirectoryDestination implements DirectoryOutput {
  readonly whenStorageAllows: WhenStorageAllows
  private readonly writers = new Set<DirectoryWriter>()
  private readonly site: WriterSite
  private workspace: Promise<Workspace>

  constructor(
    private readonly options: DirectoryDestinationOptions,
    private readonly descriptors: DescriptorPool,
    workspace: Workspace,
  ) {
    this.workspace = Promise.resolve(workspace)
    this.whenStorageAllows = waitOutOutages({
      ...options,
      directory: options.root,
      examine: async () => (await this.workspace).check.examine(),
    })
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
    const workspace = await this.currentWorkspace(() => AbortSignal.any(signals))
    const writer = new DirectoryWriter(file, components, workspace, this.site, signals)
    this.writers.add(writer)
    return writer
  }

  async recall(file: IncomingFile): Promise<'same' | 'newer' | 'nothing'> {
    const signal = (): AbortSignal => this.options.signal ?? NEVER
    const {index} = await this.currentWorkspace(signal)
    const entry = deliveredEntry(file, file.sizeBytes ?? 0)
    const {what} = await this.whenStorageAllows(() => index.holds(entry), signal)
    return what === 'neither' ? 'nothing' : what
  }

  async close(): Promise<void> {
    await this.leave(async () => {
      await Promise.all([...this.writers].map((writer) => writer.discard()))
    })
    await this.leave(() => this.descriptors.closeAll())
    await this.leave(async () => (await this.workspace).close())
  }

  /** Storage that is in trouble when the run ends must not make a good end a bad one. */
  private async leave(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (thrown) {
      if (!(thrown instanceof StreamtoolError)) throw thrown
      this.options.logger.warn(`${thrown.message} What is left there is removed by the next run.`, {
        code: thrown.code,
      })
    }
  }

  /** One that was lost is left for a new one. */
  private async currentWorkspace(signal: () => AbortSignal): Promise<Workspace> {
    const workspace = await this.workspace
    return workspace.lost.aborted ? this.whenStorageAllows(() => this.newWorkspace(), signal) : workspace
  }

  private async newWorkspace(): Promise<Workspace> {
    const current = this.workspace
    const workspace = await current
    if (!workspace.lost.aborted) return workspace
    if (this.workspace === current) {
      this.workspace = this.reopened(workspace).catch((thrown: unknown) => {
        this.workspace = current
        throw thrown
      })
    }
    return this.workspace
  }

  private async reopened(lost: Workspace): Promise<Workspace> {
    const workspace = await reopenWorkspace(lost, this.descriptors, this.options.clock)
    const why = lost.lost.reason instanceof Error ? lost.lost.reason.message : String(lost.lost.reason)
    this.options.logger.warn(`${why} Taking a new place in ${this.options.root}.`, {
      directory: this.options.root,
    })
    await lost.close().catch(() => undefined)
    return workspace
  }
}
