/** One file on its way into an output directory. */
import {StreamtoolError} from '../../core/errors.js'
import type {Gauge, Semaphore, Turns} from '../../core/flow/index.js'
import type {FileWriter, FinishOutcome, IncomingFile, Logger, StepObserver} from '../../core/ports/index.js'
import type {PartialFile} from './partial-file.js'
import type {OnConflict, Publication} from './placing.js'
import {publish} from './publish.js'
import type {WhenStorageAllows} from './storage-outage.js'
import type {Workspace} from './workspace.js'

/** Content that waits in memory for `finish`, over all files. */
const HELD_BYTES_LIMIT = 8 * 1024 * 1024

/** What the writers of a destination share. */
export interface WriterSite {
  readonly steps: StepObserver
  readonly logger: Logger
  readonly onConflict: OnConflict
  readonly whenStorageAllows: WhenStorageAllows
  /** How many files may be in `finish`. */
  readonly finishing: Semaphore
  /** By path: looking for a newer generation and renaming belong together. */
  readonly turns: Turns
  readonly heldBytes: Gauge
  readonly onSettled: (writer: DirectoryWriter) => void
}

export class DirectoryWriter implements FileWriter {
  private partial: PartialFile | null = null
  /** A file of one chunk: its only write would be followed at once by `finish`, where others are not kept waiting. */
  private held: Buffer | null = null
  private busy: Promise<unknown> = Promise.resolve()
  /** Made when something waits for it: that is rare, and thousands of files a second are not. */
  private stop: AbortController | null = null
  private isGivenUp = false

  constructor(
    private readonly file: IncomingFile,
    private readonly components: readonly string[],
    private readonly workspace: Workspace,
    private readonly site: WriterSite,
    private readonly signals: readonly AbortSignal[],
  ) {}

  async write(data: Buffer): Promise<void> {
    this.throwIfAborted()
    if (this.hold(data)) return
    await this.during(this.append(data))
  }

  async finish(sizeBytes: number): Promise<FinishOutcome> {
    this.throwIfAborted()
    const outcome = await this.during(this.site.finishing.run(() => this.finishNow(sizeBytes)))
    this.site.onSettled(this)
    return outcome
  }

  async discard(): Promise<void> {
    this.isGivenUp = true
    this.stop?.abort(this.givenUp())
    await this.busy
    this.letGo()
    await this.removePartial()
    this.site.onSettled(this)
  }

  private async finishNow(sizeBytes: number): Promise<FinishOutcome> {
    this.throwIfAborted()
    const partial = await this.sealed()
    if (partial.sizeBytes !== sizeBytes) {
      throw new StreamtoolError(
        'BUG',
        `${this.file.path}: ${partial.sizeBytes} of ${sizeBytes} bytes were written.`,
      )
    }
    const {outcome, syncs} = await this.site.turns.take(this.file.path, () =>
      publish(partial, this.publication()),
    )
    if (outcome === 'delivered') this.partial = null
    await this.whenStorageAllows(() => this.removePartial())
    await Promise.all(syncs.map((sync) => this.whenStorageAllows(sync)))
    return outcome
  }

  /** Complete and on the disk, but not visible. */
  private async sealed(): Promise<PartialFile> {
    const {held, file} = this
    if (held === null) {
      const partial = (this.partial ??= this.workspace.newPartialFile())
      await this.whenStorageAllows(() => partial.seal(file.mtimeMs))
      return partial
    }
    return this.whenStorageAllows(async () => {
      await this.removePartial()
      const partial = (this.partial = this.workspace.newPartialFile())
      this.site.steps.reached('before-write')
      await partial.writeWhole(held, file.mtimeMs)
      this.site.steps.reached('after-write')
      this.letGo()
      return partial
    })
  }

  private publication(): Publication {
    return {
      file: this.file,
      components: this.components,
      workspace: this.workspace,
      onConflict: this.site.onConflict,
      steps: this.site.steps,
      logger: this.site.logger,
      whenStorageAllows: (work) => this.whenStorageAllows(work),
      throwIfAborted: () => this.throwIfAborted(),
    }
  }

  private async append(data: Buffer): Promise<void> {
    const partial = (this.partial ??= this.workspace.newPartialFile())
    const {held} = this
    if (held !== null) await this.whenStorageAllows(() => this.appendOnce(partial, held))
    this.letGo()
    await this.whenStorageAllows(() => this.appendOnce(partial, data))
  }

  private async appendOnce(partial: PartialFile, data: Buffer): Promise<void> {
    this.site.steps.reached('before-write')
    await partial.append(data)
    this.site.steps.reached('after-write')
  }

  private hold(data: Buffer): boolean {
    const {heldBytes} = this.site
    const isWhole = this.file.chunkCount === 1 && this.held === null && this.partial === null
    if (!isWhole || heldBytes.value + data.length > HELD_BYTES_LIMIT) return false
    this.held = Buffer.from(data)
    heldBytes.add(data.length)
    return true
  }

  private letGo(): void {
    this.site.heldBytes.subtract(this.held?.length ?? 0)
    this.held = null
  }

  private async removePartial(): Promise<void> {
    await this.partial?.remove()
    this.partial = null
  }

  private whenStorageAllows<T>(work: () => Promise<T>): Promise<T> {
    return this.site.whenStorageAllows(work, () => {
      this.throwIfAborted()
      this.stop ??= new AbortController()
      return AbortSignal.any([...this.signals, this.workspace.lost, this.stop.signal])
    })
  }

  private throwIfAborted(): void {
    for (const signal of this.signals) signal.throwIfAborted()
    this.workspace.lost.throwIfAborted()
    if (this.isGivenUp) throw this.givenUp()
  }

  private givenUp(): StreamtoolError {
    return new StreamtoolError('INTERRUPTED', `${this.file.path} was given up.`)
  }

  /** `discard` waits for what is under way. */
  private during<T>(work: Promise<T>): Promise<T> {
    this.busy = work.catch(() => undefined)
    return work
  }
}
