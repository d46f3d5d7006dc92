/**
 * Files handed to a processor, each when it is whole and verified:
 *
 *     chunks -> staged -> processed before? -> attempts (attempts.ts) -> kept? -> entered in the index -> delivered
 *                               └ unchanged, superseded       └ used up: thrown, and the file is held
 *
 * A file counts as done when the processor has returned, what it produced is acknowledged, and the index has it on the
 * disk. So a process that is killed processes nothing again but what was between the call of the processor and the
 * entry in the index, however long ago the last commit was; and an older generation is never processed after a newer
 * one of its path, unless all are wanted.
 *
 * A processor is told to stop when its file is no longer this process's, or the run ends.
 */
import {StreamtoolError} from '../core/errors.js'
import {Semaphore, Turns} from '../core/flow/index.js'
import type {
  Destination,
  FileStaging,
  FileWriter,
  FinishOutcome,
  IncomingFile,
  ProcessedIndex,
  SealedFile,
  StagingWriter,
} from '../core/ports/index.js'
import {uploadKey} from '../core/reassembly/index.js'
import {attemptEnded, type AttemptOptions, attemptUntilProcessed} from './attempts.js'
import {fileInfo} from './file-info.js'

export interface ProcessorDestinationOptions extends Omit<AttemptOptions, 'slots'> {
  readonly staging: FileStaging
  readonly processed: ProcessedIndex
  /** Files that the processor is given at once. */
  readonly concurrency: number
}

export function createProcessorDestination(options: ProcessorDestinationOptions): Destination {
  const {host, staging, processed, concurrency} = options
  const writers = new Set<ProcessingWriter>()
  const closing = new AbortController()
  const site: ProcessingSite = {
    ...options,
    slots: new Semaphore(concurrency),
    turns: new Turns(),
    onSettled: (writer) => writers.delete(writer),
  }
  return {
    async open(file, signal) {
      signal.throwIfAborted()
      const stop = new AbortController()
      signal.addEventListener('abort', () => stop.abort(signal.reason), {once: true, signal: stop.signal})
      const writer = new ProcessingWriter(file, await staging.open(file, stop.signal), stop, site)
      writers.add(writer)
      return writer
    },
    recall: (file) => processed.look(file),
    mismatched: (file) => host.mismatched(fileInfo(file, file.sizeBytes ?? 0, 1), closing.signal),
    async close() {
      closing.abort(new StreamtoolError('INTERRUPTED', 'The run has ended.'))
      await Promise.all([...writers].map((writer) => writer.discard()))
      await staging.close()
    },
  }
}

interface ProcessingSite extends ProcessorDestinationOptions, AttemptOptions {
  /** By path: one generation after another. */
  readonly turns: Turns
  readonly onSettled: (writer: ProcessingWriter) => void
}

class ProcessingWriter implements FileWriter {
  private writtenBytes = 0
  private content: SealedFile | null = null
  private busy: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly file: IncomingFile,
    private readonly staged: StagingWriter,
    private readonly stop: AbortController,
    private readonly site: ProcessingSite,
  ) {}

  async write(data: Buffer): Promise<void> {
    this.stop.signal.throwIfAborted()
    await this.during(this.staged.write(data))
    this.writtenBytes += data.length
  }

  async finish(sizeBytes: number): Promise<FinishOutcome> {
    const {file, site, stop} = this
    stop.signal.throwIfAborted()
    if (this.writtenBytes !== sizeBytes)
      throw new StreamtoolError(
        'BUG',
        `${file.path}: ${this.writtenBytes} of ${sizeBytes} bytes were written.`,
      )
    const outcome = await this.during(site.turns.take(file.path, () => this.finishInTurn(sizeBytes)))
    await this.settle()
    return outcome
  }

  async discard(): Promise<void> {
    this.stop.abort(new StreamtoolError('INTERRUPTED', `${this.file.path} was given up.`))
    await this.busy
    await this.settle()
  }

  private async finishInTurn(sizeBytes: number): Promise<FinishOutcome> {
    const {file, site, stop} = this
    stop.signal.throwIfAborted()
    const before = await site.processed.look(file)
    if (before === 'newer') return 'superseded'
    if (before === 'nothing') await this.process()
    await site.processed.record(file, sizeBytes).catch((thrown: unknown) => this.notDied(thrown))
    await site.journal.forget(uploadKey(file))
    return before === 'same' ? 'unchanged' : 'delivered'
  }

  private async process(): Promise<void> {
    const content = (this.content ??= await this.staged.seal())
    await attemptUntilProcessed(this.file, content, this.site, this.stop.signal)
    await content.keep().catch((thrown: unknown) => this.notDied(thrown))
  }

  /** What failed after the processor must not look to the next run as if the process had died in it. */
  private async notDied(thrown: unknown): Promise<never> {
    await attemptEnded(this.file, this.site)
    throw thrown
  }

  private async settle(): Promise<void> {
    if (this.content === null) await this.staged.discard()
    else await this.content.release()
    this.site.onSettled(this)
  }

  /** `discard` waits for what is under way. */
  private during<T>(work: Promise<T>): Promise<T> {
    this.busy = work.catch(() => undefined)
    return work
  }
}
