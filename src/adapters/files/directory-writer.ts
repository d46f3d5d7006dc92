/** One file on its way into an output directory. */
import type {Stats} from 'node:fs'
import path from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import type {Gauge, Semaphore} from '../../core/flow/index.js'
import type {FileWriter, FinishOutcome, IncomingFile, StepObserver} from '../../core/ports.js'
import {calls} from '../system/calls.js'
import {errno, naming} from '../system/storage-error.js'
import type {WhenSpaceAllows} from './full-disk.js'
import {deliveredEntry} from './index-slot.js'
import type {OutputDirectory} from './output-tree.js'
import type {PartialFile} from './partial-file.js'
import type {Turns} from './turns.js'
import type {Workspace} from './workspace.js'

/** Content that waits in memory for `finish`, over all files. */
const HELD_BYTES_LIMIT = 8 * 1024 * 1024

/** What the writers of a destination share. */
export interface WriterSite {
  readonly steps: StepObserver
  readonly whenSpaceAllows: WhenSpaceAllows
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
    const published = await this.site.turns.take(this.file.path, () => this.publish(partial))
    if (typeof published === 'string') return published
    await Promise.all(published.map((sync) => this.whenSpaceAllows(sync)))
    return 'delivered'
  }

  /** Complete and on the disk, but not visible. */
  private async sealed(): Promise<PartialFile> {
    const {held, file} = this
    if (held === null) {
      this.partial ??= this.workspace.newPartialFile()
      await this.partial.seal(file.mtimeMs)
      return this.partial
    }
    return this.whenSpaceAllows(async () => {
      await this.removePartial()
      const partial = (this.partial = this.workspace.newPartialFile())
      await this.appendOnce(partial, held)
      await partial.seal(file.mtimeMs)
      this.letGo()
      return partial
    })
  }

  /** @returns what makes it durable, or why what the directory holds was left as it is */
  private async publish(
    partial: PartialFile,
  ): Promise<(() => Promise<void>)[] | Exclude<FinishOutcome, 'delivered'>> {
    const {root, index} = this.workspace
    const delivered = deliveredEntry(this.file, partial.sizeBytes)
    const target = path.join(root, ...this.components)
    const directory = await this.targetDirectory()
    const present = await lookAt(target)
    const holds = present === null ? 'neither' : await index.holds(delivered)
    if (holds === 'newer') return this.leave('superseded')
    // Somebody may have changed it since: then it is delivered again.
    if (holds === 'same' && present !== null && this.looksUntouched(present, partial))
      return this.leave('unchanged')
    this.throwIfAborted()
    const renamedInto = await this.rename(partial, target, directory)
    this.partial = null
    const syncIndex = await this.whenSpaceAllows(() => index.record(delivered))
    return [() => renamedInto.sync(), syncIndex]
  }

  private async rename(
    partial: PartialFile,
    target: string,
    directory: OutputDirectory,
  ): Promise<OutputDirectory> {
    const rename = (): Promise<void> => naming('write', target, () => calls.rename(partial.path, target))
    this.site.steps.reached('before-rename')
    let renamedInto = directory
    try {
      await this.whenSpaceAllows(rename)
    } catch (thrown) {
      if (!isGone(thrown)) throw thrown
      // Somebody removed the directory since it was looked at.
      this.workspace.tree.forgetDirectories()
      renamedInto = await this.targetDirectory()
      await this.whenSpaceAllows(rename)
    }
    this.site.steps.reached('after-rename')
    return renamedInto
  }

  private targetDirectory(): Promise<OutputDirectory> {
    return this.whenSpaceAllows(() => this.workspace.tree.directory(this.components.slice(0, -1)))
  }

  private async append(data: Buffer): Promise<void> {
    const partial = (this.partial ??= this.workspace.newPartialFile())
    const {held} = this
    if (held !== null) await this.whenSpaceAllows(() => this.appendOnce(partial, held))
    this.letGo()
    await this.whenSpaceAllows(() => this.appendOnce(partial, data))
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

  private async leave<Outcome>(outcome: Outcome): Promise<Outcome> {
    await this.removePartial()
    return outcome
  }

  private looksUntouched(present: Stats, partial: PartialFile): boolean {
    const {mtimeMs} = this.file
    if (!present.isFile() || present.size !== partial.sizeBytes) return false
    return mtimeMs === null || Math.abs(present.mtimeMs - mtimeMs) < 1
  }

  private async removePartial(): Promise<void> {
    await this.partial?.remove()
    this.partial = null
  }

  private whenSpaceAllows<T>(work: () => Promise<T>): Promise<T> {
    return this.site.whenSpaceAllows(work, () => {
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

async function lookAt(target: string): Promise<Stats | null> {
  return naming('write', target, async () => {
    try {
      return await calls.lstat(target)
    } catch (thrown) {
      if (errno(thrown) === 'ENOENT') return null
      throw thrown
    }
  })
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof StreamtoolError && thrown.facts['errno'] === 'ENOENT'
}
