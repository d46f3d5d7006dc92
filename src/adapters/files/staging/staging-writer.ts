/** A file coming in: in memory while there is room, else on the disk. */
import {StreamtoolError} from '../../../core/errors.js'
import type {Gauge} from '../../../core/flow/index.js'
import type {SealedFile, StagingWriter, StepObserver} from '../../../core/ports/index.js'
import type {StagedContent} from './staged-content.js'

/** Shared by all files. */
export interface StagingBudget {
  readonly used: Gauge
  readonly limitBytes: number
  /** Of one file; negative: not even an empty one. */
  readonly fileLimitBytes: number
}

export class DiskStagingWriter implements StagingWriter {
  /** Null once the file is on the disk. */
  private pieces: Buffer[] | null
  private heldBytes = 0
  private isOver = false

  constructor(
    private readonly content: StagedContent,
    private readonly budget: StagingBudget,
    private readonly steps: StepObserver,
    private readonly signal: AbortSignal,
    private readonly onSettled: () => void,
  ) {
    this.pieces = budget.fileLimitBytes < 0 ? null : []
  }

  async write(data: Buffer): Promise<void> {
    this.throwIfOver()
    this.steps.reached('before-write')
    if (this.pieces !== null && this.hasRoomFor(data.length)) {
      this.pieces.push(Buffer.from(data))
      this.hold(data.length)
    } else {
      await this.spill()
      await this.content.append(data)
    }
    this.steps.reached('after-write')
  }

  async seal(): Promise<SealedFile> {
    this.throwIfOver()
    const {pieces, heldBytes} = this
    if (pieces === null) return this.sealed(null)
    const [first = Buffer.alloc(0)] = pieces
    const whole = pieces.length <= 1 ? first : Buffer.concat(pieces, heldBytes)
    this.pieces = [whole]
    return this.sealed(whole)
  }

  async discard(): Promise<void> {
    this.isOver = true
    this.letGo()
    await this.content.remove()
    this.onSettled()
  }

  private async sealed(memory: Buffer | null): Promise<SealedFile> {
    const {content} = this
    await content.seal(memory)
    return {
      sizeBytes: content.sizeBytes,
      localPath: content.localPath,
      get content() {
        return content.memory
      },
      read: (signal) => content.read(signal),
      restore: () => content.restore(),
      keep: () => content.keep(),
      release: () => this.discard(),
    }
  }

  /** What was held goes first. */
  private async spill(): Promise<void> {
    const {pieces} = this
    if (pieces === null) return
    for (const piece of pieces) await this.content.append(piece)
    this.letGo()
  }

  private hasRoomFor(byteLength: number): boolean {
    const {used, limitBytes, fileLimitBytes} = this.budget
    return this.heldBytes + byteLength <= fileLimitBytes && used.value + byteLength <= limitBytes
  }

  private hold(byteLength: number): void {
    this.heldBytes += byteLength
    this.budget.used.add(byteLength)
  }

  private letGo(): void {
    this.pieces = null
    this.budget.used.subtract(this.heldBytes)
    this.heldBytes = 0
  }

  private throwIfOver(): void {
    this.signal.throwIfAborted()
    if (this.isOver) throw new StreamtoolError('INTERRUPTED', 'The file was given up.')
  }
}
