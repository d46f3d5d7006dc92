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
 */
import {Gauge, Semaphore} from '../../core/flow/index.js'
import type {Clock, Destination, FileWriter, IncomingFile, Logger, StepObserver} from '../../core/ports/index.js'
import {DescriptorPool} from './descriptor-pool.js'
import {DirectoryWriter, type WriterSite} from './directory-writer.js'
import {waitOutFullDisk} from './full-disk.js'
import {outputComponents} from './output-path.js'
import {Turns} from './turns.js'
import {openWorkspace, type Workspace} from './workspace.js'

const OPEN_DESCRIPTORS = 64

export interface DirectoryDestinationOptions {
  /** Made when it is not there. Other processes may write to it too. */
  readonly root: string
  /** How many files are finished at once. */
  readonly concurrency: number
  readonly clock: Clock
  readonly logger: Logger
  readonly steps: StepObserver
  /** Ends every wait for disk space. */
  readonly signal?: AbortSignal
}

/** @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED */
export async function createDirectoryDestination(options: DirectoryDestinationOptions): Promise<Destination> {
  const descriptors = new DescriptorPool(Math.max(OPEN_DESCRIPTORS, 2 * options.concurrency))
  const first = await openWorkspace(options.root, descriptors, options.clock)
  return new DirectoryDestination(options, descriptors, first)
}

class DirectoryDestination implements Destination {
  private readonly writers = new Set<DirectoryWriter>()
  private readonly site: WriterSite
  private workspace: Promise<Workspace>

  constructor(
    private readonly options: DirectoryDestinationOptions,
    private readonly descriptors: DescriptorPool,
    workspace: Workspace,
  ) {
    this.workspace = Promise.resolve(workspace)
    this.site = {
      steps: options.steps,
      whenSpaceAllows: waitOutFullDisk(options.root, options.clock, options.logger),
      finishing: new Semaphore(options.concurrency),
      turns: new Turns(),
      heldBytes: new Gauge(),
      onSettled: (writer) => this.writers.delete(writer),
    }
  }

  async open(file: IncomingFile, signal: AbortSignal): Promise<FileWriter> {
    const components = outputComponents(file.path)
    const workspace = await this.currentWorkspace()
    const signals = this.options.signal === undefined ? [signal] : [signal, this.options.signal]
    const writer = new DirectoryWriter(file, components, workspace, this.site, signals)
    this.writers.add(writer)
    return writer
  }

  async close(): Promise<void> {
    await Promise.all([...this.writers].map((writer) => writer.discard()))
    await this.descriptors.closeAll()
    await (await this.workspace).close()
  }

  /** A process that was suspended for long, and given up by another host, begins anew with what comes next. */
  private async currentWorkspace(): Promise<Workspace> {
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
    this.options.logger.warn(
      `Another host took this process for dead and its place in ${this.options.root}: taking a new one.`,
      {directory: this.options.root},
    )
    await lost.close().catch(() => undefined)
    return openWorkspace(this.options.root, this.descriptors, this.options.clock)
  }
}
