/** Calls the members of a processor, in whatever process it was loaded. */
import {StreamtoolError} from '../../core/errors.js'
import {isAborted} from '../../core/flow/index.js'
import type {StagedFile} from '../../core/ports/index.js'
import type {FileInfo} from '../contract.js'
import {isError, messageOf} from '../stack.js'
import {attempt, type AttemptSurroundings, type Call, callForFile} from './plugin-call.js'
import {PluginLifecycle} from './lifecycle.js'

export interface RunnerOptions extends AttemptSurroundings {
  /** Aborted when the run ends. */
  readonly signal: AbortSignal
  /** What is under way has changed; told before the plugin is called, which may not let go of the thread again. */
  readonly onUnderWay?: () => void
}

export class ProcessorRunner {
  /** What of the plugin is under way, by the file it is for. */
  readonly underWay = new Map<object, FileInfo>()
  private readonly lifecycle: PluginLifecycle

  constructor(private readonly options: RunnerOptions) {
    this.lifecycle = new PluginLifecycle(options)
  }

  /** @throws PLUGIN_SETUP_FAILED */
  setup(): Promise<void> {
    return this.lifecycle.setup()
  }

  /** @throws PROCESSING_FAILED, what ends the run, or the signal's reason */
  async process(info: FileInfo, content: StagedFile, signal: AbortSignal): Promise<unknown> {
    return this.during(info, () => attempt(this.options, info, content, signal))
  }

  /** Never rejects. */
  async failed(info: FileInfo, error: Error, signal: AbortSignal): Promise<void> {
    const {processor} = this.options
    // An author expects what was thrown, not what we made of it.
    const thrown = error instanceof StreamtoolError && isError(error.cause) ? error.cause : error
    await this.tell('failed', info, signal, (context) => processor.failed?.(info, thrown, context))
  }

  /** Never rejects. */
  async mismatched(info: FileInfo, signal: AbortSignal): Promise<void> {
    const {processor} = this.options
    await this.tell('mismatched', info, signal, (context) => processor.mismatched?.(info, context))
  }

  /** Never rejects. */
  teardown(): Promise<void> {
    return this.lifecycle.teardown()
  }

  private async tell(member: string, info: FileInfo, signal: AbortSignal, call: Call): Promise<void> {
    const {processor, logger} = this.options
    if (isAborted(signal)) return
    try {
      await this.during(info, () => callForFile(this.options, info, signal, call))
    } catch (thrown) {
      if (isAborted(signal)) return
      logger.warn(`\`${member}\` of ${processor.name} failed for ${info.path}: ${messageOf(thrown)}`, {
        processor: processor.name,
        file: info.path,
      })
    }
  }

  private async during<T>(info: FileInfo, work: () => Promise<T>): Promise<T> {
    const key = {}
    this.underWay.set(key, info)
    this.options.onUnderWay?.()
    try {
      return await work()
    } finally {
      this.underWay.delete(key)
      this.options.onUnderWay?.()
    }
  }
}
