/** A plugin's `transform(record, context)` on the records of a relay. */
import {StreamtoolError} from '../../core/errors.js'
import type {ConsumedRecord, Logger, OutgoingRecord} from '../../core/ports/index.js'
import {forwarded, type RecordTransform, type Transformed} from '../../core/relay/index.js'
import type {Processor, RunContext, TransformContext, TransformedRecord} from '../contract.js'
import {guardExits} from '../exit-guard.js'
import {originOf} from '../origin.js'
import {cameThrough} from '../stack.js'

export interface PluginSurroundings {
  readonly logger: Logger
  readonly outputDir: string
  readonly options: Readonly<Record<string, unknown>>
  /** Aborted when the run ends. */
  readonly signal: AbortSignal
}

type Transform = NonNullable<Processor['transform']>

/** @throws PLUGIN_UNLOADABLE, PLUGIN_SETUP_FAILED */
export async function pluginTransform(
  processor: Processor,
  {logger, outputDir, options, signal}: PluginSurroundings,
): Promise<RecordTransform> {
  const {name} = processor
  const transform = processor.transform?.bind(processor)
  if (transform === undefined)
    throw new StreamtoolError('PLUGIN_UNLOADABLE', `The plugin ${name} has no transform(record, context).`, {
      suggestions: ['Add one: transform(record, context) { return record }'],
    })
  const context: RunContext = {options: options as RunContext['options'], outputDir, log: logger, signal}
  const stopGuarding = guardExits((exit) => cameThrough(exit, originOf(processor)))
  try {
    await processor.setup?.(context)
  } catch (thrown) {
    stopGuarding()
    throw new StreamtoolError(
      'PLUGIN_SETUP_FAILED',
      `The plugin ${name} failed in setup: ${messageOf(thrown)}`,
      {
        cause: thrown,
      },
    )
  }
  return {
    name,
    transform: (record, attempt) =>
      call(transform, record, {...context, ...placeOf(record), signal: attempt}),
    async close() {
      try {
        await processor.teardown?.(context)
      } catch (thrown) {
        logger.warn(`The plugin ${name} failed in teardown: ${messageOf(thrown)}`)
      } finally {
        stopGuarding()
      }
    },
  }
}

/** Answers at once when the plugin does. */
function call(
  transform: Transform,
  record: ConsumedRecord,
  context: TransformContext,
): Transformed | Promise<Transformed> {
  const {key, value, headers, timestampMs} = record
  const answer = transform({key, value, headers, timestamp: new Date(Math.max(0, timestampMs))}, context)
  return isPromise(answer)
    ? answer.then((later) => transformedOf(later, record))
    : transformedOf(answer, record)
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

const placeOf = ({topic, partition, offset}: ConsumedRecord) => ({topic, partition, offset})

const isPromise = <T>(answer: T | Promise<T>): answer is Promise<T> =>
  typeof answer === 'object' && answer !== null && 'then' in answer

const messageOf = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown))

const unusable = (what: string) =>
  new StreamtoolError('PROCESSING_FAILED', `what the plugin returned cannot be sent: ${what}`)
