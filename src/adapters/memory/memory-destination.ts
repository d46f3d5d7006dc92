/** A destination that keeps files in memory, or only counts them: for dry runs, and for tests of what delivers. */
import {StreamtoolError} from '../../core/errors.js'
import type {Destination, FileWriter, FinishOutcome, IncomingFile} from '../../core/ports/index.js'
import {compareGenerations, isOlderThanHeld} from '../../core/reassembly/generation-order.js'

export interface MemoryFile {
  readonly file: IncomingFile
  readonly sizeBytes: number
  /** Null when contents are not kept. */
  readonly content: Buffer | null
}

export interface MemoryDestination extends Destination {
  /** By path. */
  readonly files: ReadonlyMap<string, MemoryFile>
}

/** @param options.keepContent false: memory does not grow with what is delivered, only with how many files */
export function createMemoryDestination(options: {keepContent?: boolean} = {}): MemoryDestination {
  const keepContent = options.keepContent ?? true
  const files = new Map<string, MemoryFile>()
  return {
    files,
    open: (file, signal) => Promise.resolve(new MemoryWriter(file, signal, keepContent, files)),
    recall: (file) => Promise.resolve(recalled(file, files.get(file.path)?.file)),
    close: () => Promise.resolve(),
  }
}

function recalled(file: IncomingFile, held: IncomingFile | undefined): 'same' | 'newer' | 'nothing' {
  if (held === undefined) return 'nothing'
  if (isSameGeneration(file, held)) return 'same'
  return isOlderThanHeld(file.order, held.order, file.topic === held.topic) ? 'newer' : 'nothing'
}

class MemoryWriter implements FileWriter {
  private readonly pieces: Buffer[] = []
  private writtenBytes = 0
  private isDiscarded = false

  constructor(
    private readonly file: IncomingFile,
    private readonly signal: AbortSignal,
    private readonly keepContent: boolean,
    private readonly files: Map<string, MemoryFile>,
  ) {}

  async write(data: Buffer): Promise<void> {
    this.throwIfOver()
    this.writtenBytes += data.length
    if (this.keepContent) this.pieces.push(Buffer.from(data))
  }

  async finish(sizeBytes: number): Promise<FinishOutcome> {
    this.throwIfOver()
    const {file, files} = this
    if (this.writtenBytes !== sizeBytes) {
      throw new StreamtoolError(
        'BUG',
        `${file.path}: ${this.writtenBytes} of ${sizeBytes} bytes were written.`,
      )
    }
    const held = files.get(file.path)
    if (held && isSameGeneration(file, held.file)) {
      if (compareGenerations(file.order, held.file.order) > 0) files.set(file.path, {...held, file})
      return 'unchanged'
    }
    const ofOneTopic = file.topic === held?.file.topic
    if (held && isOlderThanHeld(file.order, held.file.order, ofOneTopic)) return 'superseded'
    files.set(file.path, {file, sizeBytes, content: this.keepContent ? Buffer.concat(this.pieces) : null})
    return 'delivered'
  }

  async discard(): Promise<void> {
    this.isDiscarded = true
    this.pieces.length = 0
  }

  private throwIfOver(): void {
    this.signal.throwIfAborted()
    if (this.isDiscarded) throw new StreamtoolError('INTERRUPTED', `${this.file.path} was given up.`)
  }
}

function isSameGeneration(a: IncomingFile, b: IncomingFile): boolean {
  return a.topic === b.topic && a.uploadId === b.uploadId && a.sha512.equals(b.sha512)
}
