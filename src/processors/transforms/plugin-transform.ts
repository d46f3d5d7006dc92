/** A plugin's `transform(record, context)` on the records of a relay. */
import {StreamtoolError} from '../../core/errors.js'
import type {Clock, ConsumedRecord, Logger, OutgoingRecord} from '../../core/ports/index.js'
import {forwarded, type RecordTransform, type Transformed} from '../../core/relay/index.js'
import type {Processor, RunContext, TransformedRecord} from '../contract.js'
import {catchLateErrors} from '../in-process/late-errors.js'
import {originOf} from '../origin.js'
import {PluginLifecycle} from '../running/lifecycle.js'
import {asPlugin, type PluginWork} from '../running/plugin-work.js'

export interface PluginSurroundings {
  readonly logger: Logger
  readonly clock: Clock
  readonly outputDir: string
  readonly options: Readonly<Record<string, unknown>>
  /** Aborted when the run ends. */
  readonly signal: AbortSignal
  /** Ends the run: the plugin failed where nobody waited for it. */
  readonly fail: (error: StreamtoolError) => void
}

type Transform = NonNullable<Processor['transform']>

/** @throws PLUGIN_UNLOADABLE, PLUGIN_SETUP_FAILED */
export async function pluginTransform(
  processor: Processor,
  {fail, ...surroundings}: PluginSurroundings,
): Promise<RecordTransform> {
  const {name} = processor
  const transform = processor.transform?.bind(processor)
  if (transform === undefined)
    throw new StreamtoolError('PLUGIN_UNLOADABLE', `The plugin ${name} has no transform(record, context).`, {
      suggestions: ['Add one: transform(record, context) { return record }'],
    })
  const owner = {}
  const lifecycle = new PluginLifecycle({...surroundings, processor, owner})
  const stopCatching = catchLateErrors({
    owner,
    processor: name,
    path: originOf(processor),
    onLateError: fail,
    mayBeIsolated: false,
  })
  try {
    await lifecycle.setup()
  } catch (thrown) {
    stopCatching()
    throw thrown
  }
  const context = lifecycle.context()
  return {
    name,
    transform: (record, attempt) => new Call(owner, record).answer(transform, context, attempt),
    async close() {
      await lifecycle.teardown()
      stopCatching()
    },
  }
}

/** One call for one record; an error that nobody awaited, while it goes on, is its failure. */
class Call implements PluginWork {
  private reject: ((thrown: unknown) => void) | null = null

  constructor(
    readonly owner: object,
    private readonly record: ConsumedRecord,
  ) {}

  /** Answers at once when the plugin does. */
  answer(transform: Transform, context: RunContext, signal: AbortSignal): Transformed | Promise<Transformed> {
    const {topic, partition, offset, key, value, headers, timestampMs} = this.record
    const given = {key, value, headers, timestamp: new Date(Math.max(0, timestampMs))}
    const place = {...context, topic, partition, offset, signal}
    const answer = asPlugin(this, () => transform(given, place))
    return isPromise(answer) ? this.later(answer) : transformedOf(answer, this.record)
  }

  fail(thrown: unknown): boolean {
    this.reject?.(thrown)
    return this.reject !== null
  }

  private async later(answer: Promise<Parameters<typeof transformedOf>[0]>): Promise<Transformed> {
    const late = new Promise<never>((_, reject) => {
      this.reject = reject
    })
    try {
      return transformedOf(await Promise.race([answer, late]), this.record)
    } finally {
      this.reject = null
    }
  }
}

/** @throws PROCESSING_FAILED when it is nothing that can be sent, or an error that was returned */
function transformedOf(
  answer: TransformedRecord | readonly TransformedRecord[],
  record: ConsumedRecord,
): Transformed {
  if (answer instanceof Error) throw answer
  if (answer === null || answer === undefined) return null
  const answers = (Array.isArray(answer) ? answer : [answer]) as readonly TransformedRecord[]
  return answers.flatMap((each) => (each === null || each === undefined ? [] : [outgoing(each, record)]))
}

function outgoing(given: Partial<NonNullable<TransformedRecord>>, record: ConsumedRecord): OutgoingRecord {
  if (typeof given !== 'object') throw unusable('it is neither a record nor a list of records')
  const base = forwarded(record)
  const {key, value, headers, timestamp} = given
  return {
    ...base,
    ...(key === undefined ? {} : {key: bytesOf('key', key)}),
    ...(value === undefined ? {} : {value: partsOf(bytesOf('value', value))}),
    ...(headers === undefined ? {} : {headers: headers.map((each) => headerOf(each))}),
    ...(timestamp === undefined ? {} : {timestampMs: timeOf(timestamp)}),
  }
}

const partsOf = (value: Buffer | null) => (value === null ? null : [value])

/** Plugins are JavaScript: text is taken as UTF-8, whatever the types say. */
function bytesOf(name: string, given: unknown): Buffer | null {
  if (given === null || Buffer.isBuffer(given)) return given
  if (typeof given === 'string') return Buffer.from(given)
  if (given instanceof Uint8Array) return Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  throw unusable(`its ${name} is neither a Buffer nor text nor null`)
}

function headerOf({key, value}: {readonly key: unknown; readonly value: unknown}) {
  if (typeof key !== 'string') throw unusable('a header has no name')
  return {key, value: bytesOf('header', value)}
}

function timeOf(timestamp: unknown): number {
  const ms = timestamp instanceof Date ? timestamp.getTime() : Number.NaN
  if (!Number.isSafeInteger(ms)) throw unusable('its timestamp is no Date')
  return ms
}

const isPromise = <T>(answer: T | Promise<T>): answer is Promise<T> =>
  typeof answer === 'object' && answer !== null && 'then' in answer

const unusable = (what: string) =>
  new StreamtoolError('PROCESSING_FAILED', `what the plugin returned cannot be sent: ${what}`)
