/**
 * What runs a processor: in this process (in-process/), in processes of its own (isolated/), or any program
 * (exec/). The destination knows no more than this.
 */
import type {StagedFile} from '../core/ports/index.js'
import type {FileInfo} from './contract.js'

export interface ProcessorHost {
  readonly name: string
  /** Calls `setup`. @throws PLUGIN_UNLOADABLE, PLUGIN_SETUP_FAILED */
  start(): Promise<void>
  /**
   * One attempt on one file; as many at once as the caller likes.
   * @param signal aborts the attempt; resolves or rejects soon after
   * @returns what the processor returned, with all that it produced acknowledged
   * @throws PROCESSING_FAILED, PROCESSING_TIMED_OUT, PROCESSOR_CRASHED; or the signal's reason
   */
  process(file: FileInfo, content: StagedFile, signal: AbortSignal): Promise<unknown>
  /** A file's attempts are used up. Never rejects: what goes wrong here is logged. */
  failed(file: FileInfo, error: Error, signal: AbortSignal): Promise<void>
  /** A file does not match its hash. Never rejects. */
  mismatched(file: FileInfo, signal: AbortSignal): Promise<void>
  /** Calls `teardown`, and leaves nothing running. */
  close(): Promise<void>
}
