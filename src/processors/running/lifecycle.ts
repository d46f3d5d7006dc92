/** The beginning and the end of a plugin: `setup` before anything else, `teardown` if that had succeeded. */
import type {Clock, Logger} from '../../core/ports/index.js'
import type {Processor, RunContext} from '../contract.js'
import {isError, messageOf} from '../stack.js'
import {pluginFailure} from './failure.js'
import {pluginLog} from './plugin-log.js'
import {asPlugin} from './plugin-work.js'

export interface LifecycleOptions {
  readonly processor: Processor
  readonly options: Readonly<Record<string, unknown>>
  readonly outputDir: string
  readonly logger: Logger
  readonly clock: Clock
  /** Aborted when the run ends. */
  readonly signal: AbortSignal
  /** Whose late errors these are. */
  readonly owner: object
}

/** A `teardown` that never ends would hold up the end of the run. */
const TEARDOWN_LIMIT_MS = 10_000

export class PluginLifecycle {
  private isSetUp = false

  constructor(private readonly options: LifecycleOptions) {}

  /** @throws PLUGIN_SETUP_FAILED */
  async setup(): Promise<void> {
    const {processor} = this.options
    try {
      const returned = await this.outside(() => processor.setup?.(this.context()))
      if (isError(returned)) throw returned
    } catch (thrown) {
      throw pluginFailure('PLUGIN_SETUP_FAILED', processor.name, 'could not be set up', thrown)
    }
    this.isSetUp = true
  }

  /** Never rejects. */
  async teardown(): Promise<void> {
    const {processor, clock, logger} = this.options
    if (!this.isSetUp || processor.teardown === undefined) return
    this.isSetUp = false
    const over = new AbortController()
    const ended = (async () => this.outside(() => processor.teardown?.(this.context())))()
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

  context(): RunContext {
    const {options, outputDir, processor, logger, signal} = this.options
    return {
      options: options as RunContext['options'],
      outputDir,
      signal,
      log: pluginLog(logger, {processor: processor.name}),
    }
  }

  /** For no file and no record: what fails later is nobody's attempt. */
  private outside<T>(call: () => T): T {
    return asPlugin({owner: this.options.owner, fail: () => false}, call)
  }
}
