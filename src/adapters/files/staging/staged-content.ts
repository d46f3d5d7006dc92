/** The content of one file: in memory, on the disk, or both; and what becomes of it. */
import {createHash} from 'node:crypto'
import {StreamtoolError} from '../../../core/errors.js'
import type {IncomingFile, Logger, StepObserver} from '../../../core/ports/index.js'
import type {Workspace} from '../workspace.js'
import {keepStagedFile, requireFreePlace} from './kept-file.js'
import {LocalCopy} from './local-copy.js'

/** Of a file that is not shown. */
const HIDDEN_NAME = 'content'

export interface StagingSite {
  readonly workspace: Workspace
  /** Under which it is shown; null when it is not. */
  readonly name: string | null
  /** Where it stays after success, below the output directory; null when it does not. */
  readonly keepAs: readonly string[] | null
  readonly steps: StepObserver
  readonly logger: Logger
  readonly whenStorageAllows: <T>(work: () => Promise<T>) => Promise<T>
  /** For work whose failure harms nobody. */
  readonly leave: (work: () => Promise<void>) => Promise<void>
}

export class StagedContent {
  /** Null when it is on the disk only. */
  memory: Buffer | null = null
  private readonly disk: LocalCopy

  constructor(
    private readonly incoming: IncomingFile,
    private readonly site: StagingSite,
  ) {
    this.disk = new LocalCopy(site.workspace, site.name ?? HIDDEN_NAME)
  }

  get sizeBytes(): number {
    return this.memory?.length ?? this.disk.sizeBytes
  }

  get localPath(): string | null {
    return this.site.name === null ? null : this.disk.path
  }

  append(data: Buffer): Promise<void> {
    return this.site.whenStorageAllows(() => this.disk.append(data))
  }

  /** @param memory all of it, or null when it was appended */
  async seal(memory: Buffer | null): Promise<void> {
    const {keepAs, workspace, whenStorageAllows} = this.site
    // Asked before anything is processed: afterwards it would be too late.
    if (keepAs !== null) await whenStorageAllows(() => requireFreePlace(workspace, keepAs))
    this.memory = memory
    if (!this.isOnDisk) return
    if (memory !== null || this.disk.sizeBytes === 0) await this.writeWhole(memory ?? Buffer.alloc(0))
    else await whenStorageAllows(() => this.disk.seal())
  }

  async *read(signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    signal?.throwIfAborted()
    if (this.memory === null) yield* this.disk.read(signal)
    else if (this.memory.length > 0) yield this.memory
  }

  async restore(): Promise<void> {
    const {sha512} = this.incoming
    const isFileGood = this.isOnDisk && (await this.disk.isAsSealed(sha512))
    if (this.memory !== null && !createHash('sha512').update(this.memory).digest().equals(sha512)) {
      if (!isFileGood) throw this.worthless()
      const pieces: Buffer[] = []
      for await (const piece of this.disk.read()) pieces.push(piece)
      this.memory = Buffer.concat(pieces)
    }
    if (isFileGood || !this.isOnDisk) return
    if (this.memory === null) throw this.worthless()
    await this.writeWhole(this.memory)
  }

  async keep(): Promise<void> {
    const {keepAs, logger} = this.site
    if (keepAs === null) return
    const {path, mtimeMs} = this.incoming
    if (!(await this.disk.isUntouched()))
      logger.warn(`${path} was changed while it was processed, and is kept as it is now.`, {path})
    await keepStagedFile(this.disk.path, keepAs, {...this.site, mtimeMs})
  }

  /** Leaves no trace; may be called again. */
  async remove(): Promise<void> {
    this.memory = null
    await this.site.leave(() => this.disk.remove())
  }

  private get isOnDisk(): boolean {
    return this.memory === null || this.site.name !== null
  }

  private async writeWhole(content: Buffer): Promise<void> {
    await this.site.whenStorageAllows(async () => {
      await this.disk.writeWhole(content)
      await this.disk.seal()
    })
  }

  private worthless(): StreamtoolError {
    const {path} = this.incoming
    return new StreamtoolError('STORAGE_FAILED', `The local copy of ${path} was changed or taken away.`, {
      facts: {path},
      suggestions: ['It is read from the topic again. A processor should copy a file, not move or edit it.'],
    })
  }
}
