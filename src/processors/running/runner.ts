/** Calls the members of a processor, in whatever process it was loaded. */
import {StreamtoolError} from '../../core/errors.js'
import {isAborted} from '../../core/flow/index.js'
import type {StagedFile} from '../../core/ports/index.js'
import type {FileInfo, RunContext} from '../contract.js'
import {isError, messageOf} from '../stack.js'
import {attempt, type AttemptSurroundings, type Call, callForFile, pluginLog} from './plugin-call.js'
import {pluginFailure} from './failure.js'
import {asPlugin} from './plugin-work.js'

export interface RunnerOptions extends AttemptSurroundings {
  /** Aborted when the run ends. */
  readonly signal: AbortSignal
  /** What is under way has changed; told before the plugin is called, which may not let go of the thread again. */
  readonly onUnderWay?: () => void
}

/** A `teardown` that never ends would hold up the end of the run. */
const TEARDOWN_LIMIT_MS = 10_000

export class ProcessorRunner {
  /** What of the plugin is under way, by the file it is for. */
  readonly underWay = new Map<object, FileInfo>()
  private isSetUp = false

  constructor(private readonly options: RunnerOptions) {}

  /** @throws PLUGIN_SETUP_FAILED */
  async setup(): Promise<void> {
    const {processor} = this.options
    try {
      const returned = await this.outsideOfFiles(() => processor.setup?.(this.context()))
      if (isError(returned)) throw returned
    } catch (thrown) {
      throw pluginFailure('PLUGIN_SETUP_FAILED', processor.name, 'could not be set up', thrown)
    }
    this.isSetUp = true
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
  async teardown(): Promise<void> {
    const {processor, clock, logger} = this.options
    if (!this.isSetUp || processor.teardown === undefined) return
    this.isSetUp = false
    const over = new AbortController()
    const ended = (async () => this.outsideOfFiles(() => processor.teardown?.(this.context())))()
    const tooLong = clock.sleep(TEARDOWN_LIMIT_MS, over.signal).then(() => {
      throw new Error(`it has not ended after ${TEARDOWN_LIMIT_MS / 1000} s`)
    })
    try {
      const returned = await Promise.race([ended, tooLong])
      if (isError(returned)) throw returned
    } catch (thrown) {
      logger.warn(`The teardown of ${processor.name} failed: ${messageOf(thrown)}`, {
        processor: processor.name,
      })
    } finally {
      over.abort()
      for (const promise of [ended, tooLong]) promise.catch(() => undefined)
    }
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

  private outsideOfFiles<T>(call: () => T): T {
    return asPlugin({owner: this.options.owner, fail: () => false}, call)
  }

  private context(): RunContext {
    const {options, outputDir, processor, logger, signal} = this.options
    return {
      options: options as RunContext['options'],
      outputDir,
      signal,
      log: pluginLog(logger, {processor: processor.name}),
    }
  }
}
