/**
 * What a process holds of an output directory while it runs: its workspace, or a new one when that was lost, the
 * descriptors of its files, and one way of waiting out trouble with the storage.
 */
import type {Clock, Logger} from '../../core/ports/index.js'
import {leavingBehind} from '../system/leave-behind.js'
import {DescriptorPool} from './descriptor-pool.js'
import {waitOutOutages, type WhenStorageAllows} from './storage-outage.js'
import {type IndexName, openWorkspace, reopenWorkspace, type Workspace} from './workspace.js'

const OPEN_DESCRIPTORS = 64

export interface OutputPlaceOptions {
  /** Made when it is not there. Other processes may write to it too. */
  readonly root: string
  readonly index: IndexName
  /** How many files are finished at once. */
  readonly concurrency: number
  readonly clock: Clock
  readonly logger: Logger
  readonly onOutage?: (reason: string | null) => void
}

export class OutputPlace {
  /** For whatever writes there: one outage is told once. */
  readonly whenStorageAllows: WhenStorageAllows
  private current: Promise<Workspace>

  private constructor(
    private readonly options: OutputPlaceOptions,
    private readonly descriptors: DescriptorPool,
    workspace: Workspace,
  ) {
    this.current = Promise.resolve(workspace)
    this.whenStorageAllows = waitOutOutages({
      ...options,
      directory: options.root,
      examine: async () => (await this.current).check.examine(),
    })
  }

  /** @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED */
  static async open(options: OutputPlaceOptions): Promise<OutputPlace> {
    const descriptors = new DescriptorPool(Math.max(OPEN_DESCRIPTORS, 2 * options.concurrency))
    const workspace = await openWorkspace(options.root, descriptors, options.clock, options.index)
    return new OutputPlace(options, descriptors, workspace)
  }

  /**
   * One that was lost is left for a new one.
   * @param signal ends waiting for the storage
   */
  async workspace(signal: () => AbortSignal): Promise<Workspace> {
    const workspace = await this.current
    return workspace.lost.aborted ? this.whenStorageAllows(() => this.newWorkspace(), signal) : workspace
  }

  async close(): Promise<void> {
    await this.leave(() => this.descriptors.closeAll())
    await this.leave(async () => (await this.current).close())
  }

  /** Storage that is in trouble when the run ends must not make a good end a bad one. */
  leave(work: () => Promise<void>): Promise<void> {
    return leavingBehind(work, this.options.logger)
  }

  private async newWorkspace(): Promise<Workspace> {
    const {current} = this
    const workspace = await current
    if (!workspace.lost.aborted) return workspace
    if (this.current === current) {
      this.current = this.reopened(workspace).catch((thrown: unknown) => {
        this.current = current
        throw thrown
      })
    }
    return this.current
  }

  private async reopened(lost: Workspace): Promise<Workspace> {
    const {root, index, clock, logger} = this.options
    const workspace = await reopenWorkspace(lost, this.descriptors, clock, index)
    const why = lost.lost.reason instanceof Error ? lost.lost.reason.message : String(lost.lost.reason)
    logger.warn(`${why} Taking a new place in ${root}.`, {directory: root})
    await lost.close().catch(() => undefined)
    return workspace
  }
}
